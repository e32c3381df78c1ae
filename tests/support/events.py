"""The published schema of agentic events, and whether an event is as it says."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

PATH: Final = Path(__file__).parents[2] / "docs" / "schemas" / "agentic-event.v1.json"


@cache
def schema() -> dict[str, Any]:
    """The schema of the current version."""
    loaded: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return loaded


@cache
def _validator() -> Any:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def check_event(body: Mapping[str, Any]) -> None:
    """AssertionError unless a message's body is an event of the schema, without anything that it does not describe."""
    faults = [error.message for error in _validator().iter_errors(body)]
    assert faults == [], f"{body}: {faults}"
    described = schema()["properties"].keys() | schema()["$defs"][body["type"]]["properties"].keys()
    assert body.keys() <= described, f"{body}: {sorted(body.keys() - described)} are not described"
