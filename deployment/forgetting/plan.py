"""Deleting what the system keeps about one person of Discord.

What of a thread is whose: a thread in which only this person wrote goes as a whole; of any other go the person's runs,
messages, votes and what is on record about them, and the summary of what was said. What others' runs were told stays until
it expires. Backups and the histories of executions cannot be edited: they expire too (docs/RUNBOOK.md).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from discord_agent.domain.session import ExecutionStatus

type Item = Mapping[str, Any]

NOBODY: Final = "0"
"""Stands where a row of somebody else named the person."""
_ENDED: Final = frozenset({ExecutionStatus.COMPLETED.value, ExecutionStatus.FAILED.value})
_SAID: Final = ("summary", "summarized_through", "last_message", "last_run", "rejection", "dislike")
"""What a thread's memory holds of what people said."""


@dataclass(frozen=True, slots=True)
class Records:
    """Every item of the three tables."""

    sessions: tuple[Item, ...]
    executions: tuple[Item, ...]
    messages: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Trim:
    """An item that stays, without the attributes ``removed`` and with others ``replaced``."""

    item: Item
    removed: tuple[str, ...] = ()
    replaced: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about a person.

    ``at_work`` are runs that must end first; ``settings`` are rules of guilds that name the person, which stay: they are
    their administrators', and a block that is forgotten is a block no more.
    """

    sessions: tuple[Item, ...]
    executions: tuple[Item, ...]
    messages: tuple[Item, ...]
    trims: tuple[tuple[str, Trim], ...]
    prefixes: tuple[str, ...]
    at_work: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept about the person."""
        return not (self.sessions or self.executions or self.messages or self.trims)


def plan(user: str, records: Records) -> Plan:
    """What of the records is to go, and what is to change."""
    runs = {str(row["execution_id"]) for row in records.executions if row.get("author_id") == user}
    alone = _alone(user, records)
    gone = {
        "sessions": tuple(item for item in records.sessions if _goes(user, item, runs, alone)),
        "executions": tuple(row for row in records.executions if row["execution_id"] in runs),
        "messages": tuple(
            row
            for row in records.messages
            if row["pk"] in alone or row.get("actor") == user or row.get("executionId") in runs
        ),
    }
    shared = {(str(row["thread_id"]), str(row["execution_id"])) for row in gone["executions"]}
    return Plan(
        **gone,
        trims=tuple(_trims(user, records, gone, alone)),
        prefixes=(
            *(f"threads/{thread}/" for thread in sorted(alone)),
            *(f"threads/{thread}/runs/{run}/" for thread, run in sorted(shared) if thread not in alone),
        ),
        at_work=tuple(str(row["execution_id"]) for row in gone["executions"] if row.get("status") not in _ENDED),
        settings=tuple(
            str(item["thread_id"])
            for item in records.sessions
            if item["record"] == "settings" and user in set(_texts(item))
        ),
    )


def _alone(user: str, records: Records) -> set[str]:
    """The threads in which this person, and nobody else, asked for anything or did anything."""
    people: dict[str, set[str]] = {}
    for row in (*records.executions, *records.sessions):
        if "author_id" in row and str(row["thread_id"]).isdecimal():
            people.setdefault(str(row["thread_id"]), set()).add(str(row["author_id"]))
    for row in records.messages:
        if row.get("actor"):
            people.setdefault(str(row["pk"]), set()).add(str(row["actor"]))
    for item in records.sessions:
        if str(item["record"]).startswith("vote#"):
            people.setdefault(str(item["thread_id"]), set()).add(str(item["record"]).rpartition("#")[2])
    return {thread for thread, those in people.items() if those == {user}}


def _goes(user: str, item: Item, runs: set[str], alone: set[str]) -> bool:
    partition, record = str(item["thread_id"]), str(item["record"])
    kind, _, name = record.partition("#")
    match kind:
        case "lock":
            # Its fence must never fall behind what an earlier run wrote.
            return False
        case "vote":
            is_own = name.endswith(f"#{user}")
        case "reflection":
            is_own = str(item.get("execution_id")) in runs
        case "inbox" | "insight" | "forgotten":
            is_own = item.get("author_id") == user
        case _:
            scope = partition.removeprefix("budget#")
            is_own = scope.startswith("user#") and scope.endswith(f"#{user}")
            is_own = is_own or scope.removeprefix("run#") in runs
    return is_own or partition in alone


def _trims(
    user: str, records: Records, gone: Mapping[str, tuple[Item, ...]], alone: set[str]
) -> Iterator[tuple[str, Trim]]:
    threads = {str(row["thread_id"]) for row in gone["executions"]} - alone
    for table in ("sessions", "executions", "messages"):
        going = {id(item) for item in gone[table]}
        for item in getattr(records, table):
            if id(item) in going or item.get("record") == "settings":
                continue
            is_memory = table == "sessions" and item["record"] == "session" and item["thread_id"] in threads
            removed = tuple(name for name in _SAID if name in item) if is_memory else ()
            left = {name: value for name, value in item.items() if name not in removed}
            replaced = {name: _without(user, value) for name, value in left.items() if user in set(_texts(value))}
            if removed or replaced:
                yield table, Trim(item, removed, replaced)


def _texts(value: Any) -> Iterable[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple() | set() | frozenset():
            for each in value:
                yield from _texts(each)


def _without(user: str, value: Any) -> Any:
    match value:
        case str():
            return NOBODY if value == user else value
        case Mapping():
            return {name: _without(user, each) for name, each in value.items()}
        case list():
            return [_without(user, each) for each in value]
        case set():
            return {_without(user, each) for each in value}
    return value
