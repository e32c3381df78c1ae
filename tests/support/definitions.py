"""The state machines' definitions as data."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from discord_agent.system import SYSTEM

FOLDER = Path(__file__).parents[2] / "statemachines"

type State = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """A Retry or Catch of a state, by its place."""

    machine: str
    state: str
    kind: str
    index: int

    def __str__(self) -> str:
        return f"{self.machine}.{self.state}.{self.kind}[{self.index}]"


def text(machine: str) -> str:
    """A definition as it lies in its file."""
    return (FOLDER / f"{machine}.asl.json").read_text(encoding="utf-8")


@cache
def definition(machine: str) -> Mapping[str, Any]:
    """A definition."""
    parsed: Mapping[str, Any] = json.loads(text(machine))
    return parsed


@cache
def states(machine: str) -> Mapping[str, State]:
    """A machine's states by name, those inside a Map included."""
    return dict(_states(definition(machine)))


def _states(part: Mapping[str, Any]) -> Iterator[tuple[str, State]]:
    for name, state in part["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def all_states() -> list[tuple[str, str]]:
    """Every state of every declared machine."""
    return [(machine, name) for machine in SYSTEM.machines for name in states(machine)]


def all_tasks() -> list[tuple[str, str]]:
    """Every state that calls a function."""
    return [(machine, name) for machine, name in all_states() if states(machine)[name]["Type"] == "Task"]


def function_of(machine: str, name: str) -> str:
    """The key of the function that a task calls."""
    placeholder: str = states(machine)[name]["Arguments"]["FunctionName"]
    return placeholder.removeprefix("${").removesuffix("}")


def clauses(machine: str, name: str) -> Iterator[tuple[Clause, Mapping[str, Any]]]:
    """A state's Retry and Catch clauses."""
    for kind in ("Retry", "Catch"):
        for index, clause in enumerate(states(machine)[name].get(kind, [])):
            yield Clause(machine, name, kind, index), clause


def all_clauses() -> Iterator[tuple[Clause, Mapping[str, Any]]]:
    """Every Retry and Catch clause there is."""
    for machine, name in all_states():
        yield from clauses(machine, name)


def targets(state: State) -> Iterator[str]:
    """Where a state may go, its catches included."""
    yield from normal_targets(state)
    yield from (clause["Next"] for clause in state.get("Catch", []))


def normal_targets(state: State) -> Iterator[str]:
    """Where a state goes when nothing fails."""
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (rule["Next"] for rule in state.get("Choices", []))
    if "ItemProcessor" in state:
        yield state["ItemProcessor"]["StartAt"]


def expressions(value: object) -> Iterator[str]:
    """Every JSONata expression in a part of a definition."""
    if isinstance(value, str) and value.startswith("{%"):
        yield value.removeprefix("{%").removesuffix("%}").strip()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)
