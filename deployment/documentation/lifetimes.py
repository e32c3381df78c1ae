"""What is deployed together, by how long it lives, and what refers to what."""

from collections.abc import Iterator, Mapping, Sized
from typing import Final

from deployment.documentation.mermaid import Edge, Look, Node, flowchart
from deployment.figures import FIGURES
from discord_agent.declaration import LAYERS, PREFIX, Kind, Ref, System

_DATA: Final = "data"
_AGENT: Final = "agent"
_EDGE: Final = "edge"
_BRIDGE: Final = "bridge"
_OBSERVABILITY: Final = "observability"

_LIFETIMES: Final = {
    _DATA: "kept, even when the rest is destroyed",
    _AGENT: "replaced with every deployment",
    _EDGE: "lives as long as its address is entered in Discord",
    _BRIDGE: "one process, optional",
    _OBSERVABILITY: "can be made anew at any time",
}
STACKS: Final = tuple(f"{PREFIX}-{name}" for name in _LIFETIMES)
"""The CDK's stacks; Terraform keeps the same parts in one state."""
_HOMES: Final = {
    Kind.TABLE: _DATA,
    Kind.QUEUE: _DATA,
    Kind.BUCKET: _DATA,
    Kind.FUNCTION: _AGENT,
    Kind.MACHINE: _AGENT,
    Kind.ROLE: _AGENT,
}


def picture(system: System) -> str:
    """The stacks with what is in them; an arrow goes to what is referred to, by its name."""
    nodes = [
        Node(
            name,
            "\n".join((f"{PREFIX}-{name}", lifetime, *_contents(system)[name])),
            Look.STORE if name == _DATA else Look.PROCESS,
        )
        for name, lifetime in _LIFETIMES.items()
    ]
    edges = dict.fromkeys(
        Edge(name, _HOMES[ref.kind])
        for name, refs in _references(system).items()
        for ref in refs
        if ref.kind in _HOMES and _HOMES[ref.kind] != name
    )
    return flowchart("LR", nodes, tuple(edges))


def _contents(system: System) -> Mapping[str, tuple[str, ...]]:
    layers = {layer for package in LAYERS.values() for layer in package}
    doors = [function.path for function in system.functions.values() if function.path]
    return {
        _DATA: (_count(system.tables, "table"), _count(system.queues, "queue"), _count(system.buckets, "bucket")),
        _AGENT: (
            _count(system.functions, "function"),
            _count(layers, "layer"),
            _count(system.machines, "state machine"),
            "rule for failed executions",
        ),
        _EDGE: (f"HTTP API {FIGURES.api.name}", *(f"POST {path}" for path in doors)),
        _BRIDGE: (*(f"Fargate service {name}" for name in system.services), "network without NAT"),
        _OBSERVABILITY: (_count(system.alarms, "alarm"), "dashboard", "topic"),
    }


def _references(system: System) -> Mapping[str, tuple[Ref, ...]]:
    functions = system.functions.values()
    return {
        _AGENT: tuple(ref for function in functions for grant in function.grants for ref in grant.resources),
        _EDGE: tuple(Ref(Kind.FUNCTION, function.name) for function in functions if function.path),
        _BRIDGE: tuple(
            ref for service in system.services.values() for grant in service.grants for ref in grant.resources
        ),
        _OBSERVABILITY: tuple(_watched(system)),
    }


def _watched(system: System) -> Iterator[Ref]:
    for alarm in system.alarms.values():
        yield from (value for _, value in alarm.metric.dimensions if isinstance(value, Ref))


def _count(things: Sized, noun: str) -> str:
    number = len(things)
    return f"{number} {noun}{'' if number == 1 else 's'}"
