"""Who does what with each queue, table, bucket, machine and secret: the grants, turned around."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from deployment.documentation.rights import Verb, rights
from deployment.documentation.tables import table
from discord_agent.declaration import Kind, System

_SHOWN: Final = (Kind.QUEUE, Kind.MACHINE, Kind.FUNCTION, Kind.TABLE, Kind.BUCKET, Kind.SECRET)
_MANY: Final = 0.5
"""From this share of all functions on it is shorter to name those that may not."""


def reach(system: System) -> str:
    """One row for each thing, and who may do what with it; what a machine's role calls is in its picture."""
    found: dict[tuple[Kind, str], dict[Verb, set[str]]] = defaultdict(lambda: defaultdict(set))
    for right in rights(system):
        found[right.kind, right.key][right.verb].add(right.party)
    rows = (
        (f"{kind} `{_name(system, kind, key)}`", _verbs(system, found[kind, key]))
        for kind in _SHOWN
        for key in _keys(system, kind)
        if (kind, key) in found
    )
    return table(("what", "who"), rows)


def _keys(system: System, kind: Kind) -> Iterator[str]:
    holders: Mapping[Kind, Mapping[str, object]] = {
        Kind.QUEUE: system.queues,
        Kind.MACHINE: system.machines,
        Kind.FUNCTION: system.functions,
        Kind.TABLE: system.tables,
        Kind.BUCKET: system.buckets,
        Kind.SECRET: system.secrets,
    }
    yield from holders[kind]


def _name(system: System, kind: Kind, key: str) -> str:
    named: Mapping[Kind, Mapping[str, str]] = {
        Kind.QUEUE: {one: queue.name for one, queue in system.queues.items()},
        Kind.TABLE: {one: each.name for one, each in system.tables.items()},
        Kind.BUCKET: {one: bucket.name for one, bucket in system.buckets.items()},
    }
    return named.get(kind, {}).get(key, key)


def _verbs(system: System, who: Mapping[Verb, set[str]]) -> str:
    return "<br>".join(f"{verb}: {_parties(system, who[verb])}" for verb in Verb if verb in who)


def _parties(system: System, parties: set[str]) -> str:
    functions = set(system.functions)
    others = [f"role `{name}`" if name in system.roles else f"`{name}`" for name in sorted(parties - functions)]
    if len(parties & functions) <= _MANY * len(functions):
        return ", ".join((*_listed(name for name in system.functions if name in parties), *others))
    missing = _listed(name for name in system.functions if name not in parties)
    everybody = f"all functions but {', '.join(missing)}" if missing else "all functions"
    return ", ".join((*others, everybody))


def _listed(names: Iterable[str]) -> list[str]:
    return [f"`{name}`" for name in names]
