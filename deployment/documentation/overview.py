"""The whole system as pictures: how a request travels, and who keeps what; a machine stands for its functions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from typing import Final

from deployment.documentation.mermaid import Edge, Group, Look, Node, flowchart
from deployment.documentation.rights import Right, Verb, rights
from discord_agent.declaration import Kind, System

_PEOPLE: Final = "people"
_DISCORD: Final = "discord"
_TOKEN: Final = "discord-token"
_STORES: Final = (Kind.TABLE, Kind.BUCKET)
_CHANGES: Final = frozenset({Verb.WRITES, Verb.DELETES})
_ORDERS: Final = (Verb.STARTS, Verb.ANSWERS, Verb.CALLS)
_PER_LINE: Final = 4

type Access = tuple[tuple[Kind, str, bool], ...]
"""The stores somebody reaches, by kind and key, and whether it changes them."""


def travel(system: System) -> str:
    """How events come in, through which queues they go, what starts what, and where failures end.

    What all in a frame do is one arrow or part of its title. Dead letters that a function consumes are an arrow too, the others a line in
    the box of where they come from.
    """
    nodes = {node.id: node for node in _nodes(system)}
    edges = tuple(dict.fromkeys(_edges(system)))
    alike: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in system.machines:
        starters = {edge.source for edge in edges if edge.target == f"machine_{name}" and edge.label == Verb.STARTS}
        alike[frozenset(starters)].append(f"machine_{name}")
    flows = Group(
        "flows", "state machines; every step is a function", [nodes[one] for one in max(alike.values(), key=len)]
    )
    edges = _folded(edges, flows)
    speaking = {edge.source for edge in edges if edge.target == _DISCORD}
    between = {f"queue_{key}" for key in _consumed(system) if _ends(edges, f"queue_{key}") <= speaking}
    inner = [node for key, node in nodes.items() if key in {*speaking, *between}]
    speakers = Group("speakers", "", [*inner, flows])
    edges = _folded(edges, speakers)
    common = {
        edge.target: f"{edge.label} {_in_a_line(nodes[edge.target])}" for edge in edges if edge.source == speakers.id
    }
    speakers = replace(speakers, title="each of these " + " and ".join(common.values()))
    framed = {node.id for node in (*inner, *flows.nodes)}
    outer = [node for key, node in nodes.items() if key not in {*framed, *common}]
    return flowchart("TB", [*outer, speakers], _joined(edge for edge in edges if edge.source != speakers.id))


def keeping(system: System) -> str:
    """Who writes to which table and bucket, and who only reads: parties with the same rights share a box."""
    stores: dict[str, dict[tuple[Kind, str], bool]] = defaultdict(dict)
    for right in rights(system):
        if right.kind in _STORES:
            reached = stores[_party(system, right.party)]
            store = (right.kind, right.key)
            reached[store] = reached.get(store, False) or right.verb in _CHANGES
    alike: dict[Access, list[str]] = defaultdict(list)
    for party, reached in stores.items():
        alike[tuple((kind, key, changes) for (kind, key), changes in sorted(reached.items()))].append(party)
    nodes = [
        Node(f"party_{number}", "\n".join(map(_named, parties)), Look.PROCESS)
        for number, parties in enumerate(alike.values())
    ]
    nodes += [Node(f"table_{key}", table.name, Look.STORE) for key, table in system.tables.items()]
    nodes += [Node(f"bucket_{key}", f"S3 {bucket.name}", Look.STORE) for key, bucket in system.buckets.items()]
    edges = [
        Edge(f"party_{number}", f"{kind}_{key}", "" if changes else "only reads", aside=not changes)
        for number, access in enumerate(alike)
        for kind, key, changes in access
    ]
    return flowchart("LR", nodes, edges)


def _party(system: System, name: str) -> str:
    """The id of what stands for a function, service or role: its machine, if the function is a step of only one."""
    if name in system.services:
        return f"service_{name}"
    if name in system.roles:
        return f"role_{name}"
    homes = [machine.name for machine in system.machines.values() if name in machine.functions]
    return f"machine_{homes[0]}" if len(homes) == 1 else f"function_{name}"


def _named(party: str) -> str:
    kind, _, name = party.partition("_")
    return {"machine": f"{name} (its steps)", "role": "sandbox, by a lent role"}.get(kind, name)


def _nodes(system: System) -> Iterator[Node]:
    yield Node(_PEOPLE, "people write, react and press buttons", Look.OUTSIDE)
    for name, service in system.services.items():
        yield Node(f"service_{name}", f"{name}\n{service.purpose}; always on", Look.PROCESS)
    parties = {_party(system, name): name for name in system.functions}
    for party, name in parties.items():
        if party.startswith("function_"):
            function = system.functions[name]
            label = _and_dead(f"{name}\n{function.purpose}", function.dead_letters, system)
            yield Node(party, label, Look.PROCESS)
    consumed = _consumed(system)
    dead = {queue.dead_letters for queue in system.queues.values()}
    dead |= {function.dead_letters for function in system.functions.values()}
    for key, queue in system.queues.items():
        if key not in dead:
            letters = queue.dead_letters if queue.dead_letters not in consumed else None
            yield Node(f"queue_{key}", _and_dead(queue.name, letters, system), Look.QUEUE)
    for name, machine in system.machines.items():
        steps = [step for step in machine.functions if _party(system, step) == f"machine_{name}"]
        lines = (", ".join(steps[start : start + _PER_LINE]) for start in range(0, len(steps), _PER_LINE))
        yield Node(f"machine_{name}", "\n".join((name, *lines)), Look.MACHINE)
    yield Node(_DISCORD, "cards and answers in Discord", Look.OUTSIDE)


def _and_dead(name: str, dead_letters: str | None, system: System) -> str:
    return name if dead_letters is None else f"{name}\ndead letters: {system.queues[dead_letters].name}"


def _in_a_line(node: Node) -> str:
    name, *more = node.label.split("\n")
    return f"{name} ({', '.join(more)})" if more else name


def _consumed(system: System) -> dict[str, str]:
    """The functions that consume queues, by the queues' keys."""
    return {source.queue: function.name for function in system.functions.values() for source in function.sources}


def _edges(system: System) -> Iterator[Edge]:
    consumers = _consumed(system)
    for name in system.services:
        yield Edge(_PEOPLE, f"service_{name}", "WebSocket")
    for name, function in system.functions.items():
        if function.path:
            yield Edge(_PEOPLE, f"function_{name}", f"HTTPS {function.path}")
        if function.on_execution_status:
            yield from (
                Edge(f"machine_{machine}", f"function_{name}", "failures, time-outs, stops", aside=True)
                for machine in system.machines
            )
    for key, queue in system.queues.items():
        if queue.dead_letters in consumers:
            letters = system.queues[queue.dead_letters].name
            yield Edge(f"queue_{key}", f"function_{consumers[queue.dead_letters]}", letters, aside=True)
            yield Edge(f"queue_{key}", f"function_{consumers[key]}")
    yield from (edge for right in rights(system) for edge in _granted(system, right))


def _granted(system: System, right: Right) -> Iterator[Edge]:
    party = _party(system, right.party)
    if right.verb is Verb.SENDS:
        yield Edge(party, f"queue_{right.key}", "sends to")
    elif right.verb in _ORDERS:
        verb = "" if right.verb is Verb.CALLS else right.verb
        yield Edge(party, f"{right.kind}_{right.key}", verb, aside=right.verb is Verb.ANSWERS)
    elif right.key == _TOKEN and right.party not in system.services:
        yield Edge(party, _DISCORD, "writes")


def _folded(edges: Sequence[Edge], frame: Group) -> tuple[Edge, ...]:
    """What all in a frame do, or have done to them, is one arrow from or to the frame."""
    inside = {node.id for node in frame.nodes if not node.id.startswith("queue_")}
    sources, targets = defaultdict(set), defaultdict(set)
    for edge in edges:
        sources[edge.target, edge.label].add(edge.source)
        targets[edge.source, edge.label].add(edge.target)

    def fold(edge: Edge) -> Edge:
        if edge.source in inside and inside <= sources[edge.target, edge.label]:
            return Edge(frame.id, edge.target, edge.label, edge.aside)
        if edge.target in inside and inside <= targets[edge.source, edge.label]:
            return Edge(edge.source, frame.id, edge.label, edge.aside)
        return edge

    return tuple(dict.fromkeys(map(fold, edges)))


def _joined(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """One arrow for all that somebody does to somebody else."""
    between: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        between[edge.source, edge.target].append(edge)
    return tuple(
        Edge(source, target, ", ".join(edge.label for edge in same), aside=all(edge.aside for edge in same))
        for (source, target), same in between.items()
    )


def _ends(edges: Sequence[Edge], node: str) -> set[str]:
    """What is joined to a node."""
    return {e.source for e in edges if e.target == node} | {e.target for e in edges if e.source == node}
