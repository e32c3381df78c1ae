"""What every role in the account may do, as one table."""

from collections.abc import Iterator
from typing import Final

from deployment.documentation.tables import table
from deployment.roles import AccountRole, roles
from discord_agent.declaration import Kind, Ref, System

_WHO: Final = {
    "function": "function",
    "machine": "state machine",
    "service": "service",
    "start": "start of the service",
    "role": "assumed role",
}


def permissions(system: System) -> str:
    """One row for each grant of each role: who, what, on what, why."""
    return table(("who", "may", "on", "because"), _rows(system))


def _rows(system: System) -> Iterator[tuple[str, ...]]:
    for role in roles(system).values():
        who = _who(role)
        for grant in sorted(role.grants, key=lambda grant: grant.actions):
            yield (
                who,
                _code(grant.actions),
                "<br>".join(_resource(system, ref) for ref in grant.resources),
                grant.reason,
            )
            who = ""


def _who(role: AccountRole) -> str:
    kind, _, name = role.key.partition("/")
    takers = ", ".join(taker.partition("/")[2] for taker in role.assumed_by)
    purpose = role.purpose.removeprefix(f"{name}: ")
    return f"**{_WHO[kind]} {name}**<br>role `{role.name}`<br>{purpose}" + (f"; assumed by {takers}" if takers else "")


def _code(actions: tuple[str, ...]) -> str:
    return "<br>".join(f"`{action}`" for action in actions)


def _resource(system: System, ref: Ref) -> str:
    """A resource by its name in AWS, where it has one that does not depend on the account."""
    if ref.kind is Kind.ANYTHING:
        return "`*`"
    names = {
        Kind.TABLE: lambda: system.tables[ref.key].name,
        Kind.QUEUE: lambda: system.queues[ref.key].name,
        Kind.BUCKET: lambda: system.buckets[ref.key].name,
        Kind.FUNCTION: lambda: system.functions[ref.key].physical_name,
        Kind.MACHINE: lambda: system.machines[ref.key].physical_name,
        Kind.SECRET: lambda: system.secrets[ref.key],
        Kind.ROLE: lambda: system.roles[ref.key].name,
    }
    name = names[ref.kind]() if ref.kind in names else ref.key
    separator = "/" if ref.path and ref.kind in (Kind.BUCKET, Kind.TABLE) else ""
    return f"{str(ref.kind).replace('_', ' ')} `{name}{separator}{ref.path}`"
