"""A state machine's definition as a drawing: one column for the usual way, one for detours and failures."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

type Definition = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A state; column 0 is the usual way from top to bottom, column 1 what it may visit beside it."""

    name: str
    type: str
    column: int
    row: int
    on_failure_only: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from state to state; ``catch`` when only an error leads there."""

    source: str
    target: str
    catch: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """What to draw."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def draw(definition: Definition) -> Graph:
    """Lay a definition out; states inside a Map lie beside it, those that nothing leads to are left out."""
    states = dict(_states(definition))
    edges = tuple(dict.fromkeys(edge for name, state in states.items() for edge in _edges(name, state)))
    usual = _usual_way(definition, states)
    nodes = [Node(name, states[name]["Type"], 0, row) for row, name in enumerate(usual)]
    rows = {node.name: node.row for node in nodes}
    taken: set[int] = set()
    for name in _reached(definition, edges, catch=False):
        if name not in rows:
            row = _free_row(min(rows[e.source] for e in edges if e.target == name and e.source in rows), taken)
            rows[name] = row
            nodes.append(Node(name, states[name]["Type"], 1, row))
    bottom = max(len(usual) - 1, max(taken, default=-1) + 1)
    failures = [name for name in _reached(definition, edges, catch=True) if name not in rows]
    for offset, name in enumerate(failures):
        row = bottom - len(failures) + 1 + offset
        nodes.append(
            Node(name, states[name]["Type"], 1, max(row, max(taken, default=-1) + 1 + offset), on_failure_only=True)
        )
    return Graph(tuple(nodes), edges)


def walked(visits: Iterable[str]) -> Counter[tuple[str, str]]:
    """How often each way was taken, from the states in the order they were entered."""
    return Counter(pairwise(visits))


def _states(definition: Definition) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition.get("States", {}).items():
        yield name, state
        yield from _states(state.get("ItemProcessor", {}))


def _edges(name: str, state: dict[str, Any]) -> Iterator[Edge]:
    targets = [state.get("Next"), state.get("Default"), *(choice.get("Next") for choice in state.get("Choices", []))]
    targets.append(state.get("ItemProcessor", {}).get("StartAt"))
    yield from (Edge(name, target) for target in targets if target)
    yield from (Edge(name, catcher["Next"], catch=True) for catcher in state.get("Catch", []) if catcher.get("Next"))


def _usual_way(definition: Definition, states: dict[str, Any]) -> list[str]:
    """From the start along ``Next``, a choice's default, or else its first way to somewhere new."""
    way: list[str] = []
    name = definition.get("StartAt")
    while name in states and name not in way:
        way.append(name)
        state = states[name]
        branches = [choice.get("Next") for choice in state.get("Choices", [])]
        ahead = [state.get("Next"), state.get("Default"), *branches]
        name = next((target for target in ahead if target and target not in way), None)
    return way


def _reached(definition: Definition, edges: tuple[Edge, ...], *, catch: bool) -> list[str]:
    """States reachable from the start, nearest first; over catches only if asked."""
    reached = [definition["StartAt"]] if definition.get("StartAt") else []
    for name in reached:
        reached += [
            edge.target
            for edge in edges
            if edge.source == name and (catch or not edge.catch) and edge.target not in reached
        ]
    return list(dict.fromkeys(reached))


def _free_row(wanted: int, taken: set[int]) -> int:
    """The wanted row or the nearest free one, upwards first."""
    candidates = (row for distance in range(1000) for row in (wanted - distance, wanted + distance) if row >= 0)
    row = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(row)
    return row
