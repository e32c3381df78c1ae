"""Flowcharts in Mermaid, which GitHub draws."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum


class Look(Enum):
    """How a node is drawn: the brackets around its label, and its colours, readable on a light and on a dark page."""

    OUTSIDE = ("([", "])", "fill:#e6e6e6,stroke:#666,color:#111")
    PROCESS = ("[", "]", "fill:#ffe3c2,stroke:#b35c00,color:#111")
    MACHINE = ("[[", "]]", "fill:#f7d3e3,stroke:#a3195b,color:#111")
    QUEUE = ("[/", "/]", "fill:#fff3b8,stroke:#8a7300,color:#111")
    STORE = ("[(", ")]", "fill:#d3e5fb,stroke:#1c5fa8,color:#111")
    DECISION = ("{", "}", "fill:#ffffff,stroke:#666,color:#111")
    WAITING = ("{{", "}}", "fill:#d9f2d9,stroke:#2b7a2b,color:#111")
    FAILURE = ("[", "]", "fill:#f9d0d0,stroke:#b00020,color:#111")
    POINT = ("((", "))", "fill:#444,stroke:#444,color:#fff")


@dataclass(frozen=True, slots=True)
class Node:
    """A box; lines of its label are parted by newlines, the first of several is its name."""

    id: str
    label: str
    look: Look


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes in a frame with a title; the frame can be an end of edges like a node."""

    id: str
    title: str
    nodes: Sequence["Node | Group"]


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between two ids; ``aside`` draws it dotted, for what is not the usual way."""

    source: str
    target: str
    label: str = ""
    aside: bool = False


def flowchart(direction: str, members: Sequence[Node | Group], edges: Sequence[Edge]) -> str:
    """A fenced block for Markdown; ``direction`` is TB or LR."""
    lines = [f"flowchart {direction}", *_indented(line for member in members for line in _member(member))]
    lines += _indented(_edge(edge) for edge in edges)
    looks = {node.look: None for node in _nodes(members)}
    for look in looks:
        ids = ",".join(node.id for node in _nodes(members) if node.look is look)
        lines += _indented((f"classDef {look.name} {look.value[2]}", f"class {ids} {look.name}"))
    return "\n".join(("```mermaid", *lines, "```"))


def _member(member: Node | Group) -> Iterator[str]:
    if isinstance(member, Node):
        opening, closing, _ = member.look.value
        yield f"{member.id}{opening}{_quoted(member.label)}{closing}"
        return
    yield f"subgraph {member.id}[{_quoted(member.title)}]"
    yield from _indented(line for inner in member.nodes for line in _member(inner))
    yield "end"


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.aside else "-->"
    label = f"|{_quoted(edge.label)}|" if edge.label else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _nodes(members: Sequence[Node | Group]) -> Iterator[Node]:
    for member in members:
        if isinstance(member, Node):
            yield member
        else:
            yield from _nodes(member.nodes)


def _quoted(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    first, *others = escaped.split("\n")
    return '"' + "<br>".join((f"<b>{first}</b>" if others else first, *others)) + '"'


def _indented(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)
