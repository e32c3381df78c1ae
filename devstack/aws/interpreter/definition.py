"""Checks a definition before it is accepted: what AWS rejects, and what this interpreter cannot run."""

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from devstack.aws.interpreter.mend import mend_interpreter

LIMIT: Final = 1_048_576
_ENDING: Final = frozenset({"Succeed", "Fail"})
_BRANCHING: Final = frozenset({"Choice"})
_SYNCHRONOUS: Final = (".sync", ".sync:2")


class InvalidDefinition(Exception):
    """The definition is refused; each fault names its place."""


@functools.lru_cache(maxsize=64)
def compile_definition(definition: str) -> Any:
    """The definition as the interpreter's program, which any number of executions share; InvalidDefinition."""
    mend_interpreter()
    from moto.stepfunctions.parser.asl.parse.asl_parser import (  # noqa: PLC0415 (mended before it is imported)
        AmazonStateLanguageParser,
        ASLParserException,
    )

    if len(definition.encode()) > LIMIT:
        raise InvalidDefinition(f"the definition is larger than {LIMIT} bytes")
    try:
        parsed = json.loads(definition)
    except ValueError as error:
        raise InvalidDefinition(f"INVALID_JSON_DESCRIPTION: {error}") from error
    faults = list(_machine_faults(parsed, "$"))
    if faults:
        raise InvalidDefinition(", ".join(faults))
    try:
        return AmazonStateLanguageParser.parse(definition)[0]
    except (ASLParserException, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise InvalidDefinition(f"SCHEMA_VALIDATION_FAILED: {error}") from error


def _machine_faults(machine: object, path: str) -> Iterator[str]:
    if not isinstance(machine, dict) or not isinstance(machine.get("States"), dict):
        yield f"SCHEMA_VALIDATION_FAILED: a state machine needs States at {path}"
        return
    states = cast("dict[str, Any]", machine["States"])
    start = machine.get("StartAt")
    if start not in states:
        yield f"MISSING_TRANSITION_TARGET: StartAt {start} at {path}"
    reached = {start}
    for name, state in states.items():
        here = f"{path}.States.{name}"
        if not isinstance(state, dict):
            yield f"SCHEMA_VALIDATION_FAILED: a state is an object at {here}"
            continue
        targets = set(_targets(state))
        reached |= targets
        yield from (f"MISSING_TRANSITION_TARGET: {target} at {here}" for target in sorted(targets - states.keys()))
        yield from _state_faults(state, here)
    yield from (
        f"MISSING_TRANSITION_TARGET: state {name} is not reachable at {path}" for name in states if name not in reached
    )


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    fields = [state.get("Next"), state.get("Default")]
    fields += [rule.get("Next") for key in ("Choices", "Catch") for rule in state.get(key, [])]
    return (str(field) for field in fields if field is not None)


def _state_faults(state: Mapping[str, Any], here: str) -> Iterator[str]:
    kind = state.get("Type")
    goes_on, ends = "Next" in state, bool(state.get("End"))
    if kind not in _ENDING | _BRANCHING and goes_on == ends:
        yield f"SCHEMA_VALIDATION_FAILED: exactly one of Next and End at {here}"
    resource = str(state.get("Resource", ""))
    if resource.endswith(_SYNCHRONOUS) or ":activity:" in resource:
        yield f"UNSUPPORTED_HERE: {resource} cannot be run by the embedded Step Functions, at {here}"
    for field in ("ItemReader", "ItemBatcher", "ResultWriter"):
        if field in state:
            yield f"UNSUPPORTED_HERE: {field} cannot be run by the embedded Step Functions, at {here}"
    for index, branch in enumerate(state.get("Branches", [])):
        yield from _machine_faults(branch, f"{here}.Branches[{index}]")
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield from _machine_faults(state[field], f"{here}.{field}")
