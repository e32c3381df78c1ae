"""A state machine as a picture: its steps with what they do, its decisions, and where errors lead."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from deployment.documentation.mermaid import Edge, Group, Look, Node, flowchart

type States = Mapping[str, Mapping[str, Any]]

_START: Final = "start"
_END: Final = "done"
_ANY_STEP: Final = "any_step"
_ALL: Final = "States.ALL"
_INPUT: Final = re.compile(r"\$states\.(input\.)?")


def picture(definition: Mapping[str, Any]) -> str:
    """The machine from its definition in Amazon's States Language; catches that many steps share are one arrow."""
    states: States = definition["States"]
    shared = _shared_catches(states)
    members: list[Node | Group] = [Node(_START, " ", Look.POINT)]
    members += [_member(name, state) for name, state in states.items()]
    edges = [Edge(_START, definition["StartAt"]), *_edges(states, shared)]
    if any(edge.target == _END for edge in edges):
        members.append(Node(_END, "done", Look.POINT))
    for target in shared:
        members.append(Node(_ANY_STEP, "any of the steps, after its retries", Look.FAILURE))
        edges.append(Edge(_ANY_STEP, target, aside=True))
    return flowchart("TB", members, edges)


def _shared_catches(states: States) -> tuple[str, ...]:
    """The state that more than one step leads to whatever its error."""
    targets = Counter(
        clause["Next"] for state in states.values() for clause in state.get("Catch", ()) if _catches_all(clause)
    )
    return tuple(target for target, count in targets.most_common(1) if count > 1)


def _member(name: str, state: Mapping[str, Any]) -> Node | Group:
    inner = state.get("ItemProcessor")
    if inner is None:
        return Node(name, _label(name, state), _look(name, state))
    nodes = [_member(one, each) for one, each in inner["States"].items()]
    return Group(name, f"{name}: {_first_sentence(state)}", nodes)


def _label(name: str, state: Mapping[str, Any]) -> str:
    purpose = _first_sentence(state)
    return f"{name}\n{purpose}" if purpose else name


def _first_sentence(state: Mapping[str, Any]) -> str:
    return str(state.get("Comment", "")).partition(". ")[0].rstrip(".")


def _look(name: str, state: Mapping[str, Any]) -> Look:
    if state["Type"] == "Fail" or name == "Fail":
        return Look.FAILURE
    if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
        return Look.WAITING
    return {"Choice": Look.DECISION, "Succeed": Look.OUTSIDE}.get(state["Type"], Look.PROCESS)


def _edges(states: States, shared: tuple[str, ...]) -> Iterator[Edge]:
    for name, state in states.items():
        for rule in state.get("Choices", ()):
            yield Edge(name, rule["Next"], _condition(rule["Condition"]))
        if "Default" in state:
            yield Edge(name, state["Default"], "otherwise")
        if "Next" in state:
            yield Edge(name, state["Next"])
        elif state.get("End"):
            yield Edge(name, _END)
        for clause in state.get("Catch", ()):
            if clause["Next"] not in shared or not _catches_all(clause):
                yield Edge(name, clause["Next"], _errors(clause), aside=True)
        if "ItemProcessor" in state:
            yield from _inner_edges(state["ItemProcessor"]["States"])


def _inner_edges(states: States) -> Iterator[Edge]:
    """Inside a map nothing is marked as the end: the map goes on when all its items have ended."""
    return (edge for edge in _edges(states, ()) if edge.target != _END)


def _catches_all(clause: Mapping[str, Any]) -> bool:
    return _ALL in clause["ErrorEquals"]


def _errors(clause: Mapping[str, Any]) -> str:
    names = ("any error" if name == _ALL else name.removeprefix("States.") for name in clause["ErrorEquals"])
    return ", ".join(names)


def _condition(expression: str) -> str:
    """A JSONata condition without the marks and the path that all of them have."""
    return _INPUT.sub("", expression.removeprefix("{%").removesuffix("%}").strip())
