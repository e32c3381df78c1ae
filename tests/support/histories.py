"""What an execution's history says about its states: their visits, the errors they met, the clauses that took these."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devstack.aws.interpreter.catching import takes
from tests.support.definitions import Clause, clauses

_FAILURES = ("Failed", "TimedOut")


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in a state: the errors it met in order, whether it got its result, and the state that followed."""

    machine: str
    state: str
    errors: tuple[str, ...]
    succeeded: bool
    followed_by: str | None

    def taken(self) -> Iterator[tuple[Clause, str]]:
        """The clauses that took its errors, with the errors."""
        retried = self.errors if self.succeeded else self.errors[:-1]
        for error in retried:
            yield self._first("Retry", error), error
        was_caught = not self.succeeded and bool(self.errors) and self.followed_by is not None
        if was_caught:
            yield self._first("Catch", self.errors[-1]), self.errors[-1]

    def _first(self, kind: str, error: str) -> Clause:
        return next(
            clause
            for clause, body in clauses(self.machine, self.state)
            if clause.kind == kind and takes(body["ErrorEquals"], error)
        )


@dataclass(frozen=True, slots=True)
class Story:
    """An execution that has ended."""

    machine: str
    execution: str
    status: str
    error: str | None
    visits: tuple[Visit, ...]

    @property
    def states(self) -> list[str]:
        """The states it entered, in order."""
        return [visit.state for visit in self.visits]

    def errors(self, state: str) -> list[str]:
        """The errors that a state met, over all visits."""
        return [error for visit in self.visits if visit.state == state for error in visit.errors]


def story(machine: str, description: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Story:
    """Read a description and a history as the API gives them."""
    by_id = {event["id"]: event for event in events}
    entered = [event for event in events if _is_entry(event)]
    belonging = defaultdict[int, list[Mapping[str, Any]]](list)
    followers: dict[int, str] = {}
    for event in events:
        home = _home(event if not _is_entry(event) else by_id.get(event["previousEventId"]), by_id)
        if _is_entry(event):
            followers.setdefault(home, _name(event))
        else:
            belonging[home].append(event)
    visits = tuple(
        _visit(machine, _name(entry), belonging[entry["id"]], followers.get(entry["id"])) for entry in entered
    )
    return Story(machine, description["name"], description["status"], description.get("error"), visits)


def _is_entry(event: Mapping[str, Any]) -> bool:
    return str(event["type"]).endswith("StateEntered")


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["stateEnteredEventDetails"]["name"])


def _home(event: Mapping[str, Any] | None, by_id: Mapping[int, Mapping[str, Any]]) -> int:
    """The entry that an event goes back to, 0 for none: states inside a Map are visited at the same time."""
    while event is not None and not _is_entry(event):
        event = by_id.get(event["previousEventId"])
    return int(event["id"]) if event is not None else 0


def _visit(machine: str, name: str, events: Sequence[Mapping[str, Any]], followed_by: str | None) -> Visit:
    errors = tuple(_error(event) for event in events if _is_failure(event["type"]))
    return Visit(machine, name, errors, any(event["type"] == "TaskSucceeded" for event in events), followed_by)


def _is_failure(kind: str) -> bool:
    return kind.endswith(_FAILURES) and not kind.startswith("Execution")


def _error(event: Mapping[str, Any]) -> str:
    details = next(value for key, value in event.items() if key.endswith("EventDetails"))
    return str(details["error"])
