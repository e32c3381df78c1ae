"""Agentic events are as their published schema says, and the schema as the code."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from discord_agent.domain import events
from discord_agent.domain.classification import AgentRole, TaskType
from discord_agent.domain.events import SCHEMA_VERSION
from discord_agent.domain.run import Outcome, TurnStatus
from discord_agent.steps.terminal import ABORTED
from tests.support.events import PATH, check_event, schema

TYPES = set(schema()["properties"]["type"]["enum"])
COMMON = {
    "id": "0b6c1f5e-6d2c-4f0e-9f62-6f9d2f6a7f10",
    "time": "2026-11-22T12:00:00.000000Z",
    "version": 1,
    "threadId": "300000000000000003",
}
TURN = COMMON | {"type": "turn_completed", "turn": 1, "confidence": 83, "status": "continue"}


@dataclass(frozen=True)
class Described:
    """What the schema says about the fields of one type of event."""

    type: str

    def values(self, field: str) -> set[str]:
        described = schema()["$defs"][self.type]["properties"][field]
        if "$ref" in described:
            described = schema()["$defs"][described["$ref"].rpartition("/")[2]]
        return set(described["enum"])


def test_the_schema_has_the_version_that_events_carry() -> None:
    assert schema()["properties"]["version"] == {"const": SCHEMA_VERSION}
    assert schema()["$id"].endswith(f":{SCHEMA_VERSION}")
    assert PATH.name == f"agentic-event.v{SCHEMA_VERSION}.json"


def test_the_schema_knows_every_type_of_event_and_no_other() -> None:
    announced = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert announced - events.AUDIT_ONLY == TYPES
    assert {each["$ref"] for each in schema()["oneOf"]} == {f"#/$defs/{name}" for name in TYPES}


@pytest.mark.parametrize(
    ("type_", "field", "values"),
    [
        ("execution_started", "taskType", set(TaskType)),
        ("execution_started", "agentRole", set(AgentRole)),
        ("turn_completed", "status", set(TurnStatus)),
        ("execution_completed", "finalStatus", set(Outcome) - set(ABORTED)),
        ("execution_aborted", "reason", set(ABORTED.values())),
    ],
)
def test_the_schema_lists_the_values_that_the_code_has(type_: str, field: str, values: set[str]) -> None:
    assert Described(type_).values(field) == values


def test_an_event_as_it_is_sent_is_valid() -> None:
    check_event(TURN)


def _spoilt() -> Iterator[tuple[str, dict[str, Any]]]:
    for field in TURN:
        yield f"without {field}", {name: value for name, value in TURN.items() if name != field}
    yield "another version", TURN | {"version": 2}
    yield "an unknown type", TURN | {"type": "turn_begun"}
    yield "an unknown status", TURN | {"status": "won"}
    yield "turn 0", TURN | {"turn": 0}
    yield "more than certain", TURN | {"confidence": 101}
    yield "local time", TURN | {"time": "2026-11-22T12:00:00+01:00"}
    yield "no snowflake", TURN | {"threadId": "general"}
    yield "a field that nobody described", TURN | {"model": "qwen3-max"}
    yield "fields of another type", TURN | {"type": "commit_created"}


@pytest.mark.parametrize("body", [body for _, body in _spoilt()], ids=[name for name, _ in _spoilt()])
def test_what_is_not_as_published_is_found(body: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, KeyError)):
        check_event(body)


def test_the_documentation_tells_of_every_type_with_its_fields() -> None:
    text = (PATH.parents[1] / "EVENTS.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `") and "`type`" not in line}
    assert rows.keys() == TYPES
    for name, row in rows.items():
        described = schema()["$defs"][name]["properties"].keys() - {"type"}
        assert all(f"`{field}`" in row for field in described), row
    example = text.partition("```json")[2].partition("```")[0]
    check_event(json.loads(example))
