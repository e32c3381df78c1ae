"""How the tools of other servers are offered to a model: under names of their own, and by search when they are many."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from discord_agent.domain.conversation import Json, ToolSpec

_MOST_SHOWN: Final = 12
_MOST_SCHEMA_CHARACTERS: Final = 12_000
"""Of all schemas together; more is a few thousand tokens in front of every call."""

_NAME_LIMIT: Final = 64
_DESCRIPTION_LIMIT: Final = 1000
_SCHEMA_LIMIT: Final = 8000
_NAMES_LISTED: Final = 200
_FOUND: Final = 5
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]+")
_WORD: Final = re.compile(r"[a-z0-9]{2,}")

FIND: Final = "find_tools"
USE: Final = "use_tool"


class ServerTool(Struct, frozen=True):
    """A tool as its server describes it."""

    server: str
    name: str
    description: str
    schema: Json
    writes: bool = True


def offered(tools: Sequence[ServerTool], taken: Sequence[str] = ()) -> Mapping[str, ServerTool]:
    """The tools by the names they are offered under: ``server__tool``, with a number where that is taken already."""
    names: dict[str, ServerTool] = {}
    for tool in sorted(tools, key=lambda tool: (tool.server, tool.name)):
        base = _NOT_IN_NAMES.sub("_", f"{tool.server}__{tool.name}")[:_NAME_LIMIT]
        name, number = base, 2
        while name in names or name in taken:
            ending = f"_{number}"
            name, number = base[: _NAME_LIMIT - len(ending)] + ending, number + 1
        names[name] = tool
    return names


def specs(tools: Mapping[str, ServerTool]) -> tuple[ToolSpec, ...]:
    """What a model is offered: the tools themselves, or, when they are many, a way to find and to use them."""
    shown = tuple(_spec(name, tool) for name, tool in tools.items())
    size = sum(len(json.dumps(spec.parameters)) + len(spec.description) for spec in shown)
    return shown if len(shown) <= _MOST_SHOWN and size <= _MOST_SCHEMA_CHARACTERS else _by_search(tuple(tools))


def find(tools: Mapping[str, ServerTool], query: str) -> str:
    """The tools that fit a query best, with their schemas, as a model reads them."""
    words = set(_WORD.findall(query.lower()))

    def fitness(name: str) -> int:
        text = set(_WORD.findall(f"{name} {tools[name].description}".lower().replace("_", " ")))
        return 2 * len(words & set(_WORD.findall(name.lower().replace("_", " ")))) + len(words & text)

    best = sorted((name for name in tools if fitness(name)), key=lambda name: (-fitness(name), name))[:_FOUND]
    if not best:
        return f"No tool fits {query!r:.100}. There are: {_listed(tuple(tools))}"
    return "\n\n".join(
        f"{name}: {_spec(name, tools[name]).description}\narguments: {json.dumps(_spec(name, tools[name]).parameters)}"
        for name in best
    )


def _by_search(names: Sequence[str]) -> tuple[ToolSpec, ...]:
    return (
        ToolSpec(
            FIND,
            f"Look up tools of other servers by what they do, with the arguments they take. There are: {_listed(names)}",
            {
                "type": "object",
                "properties": {"query": {"type": "string", "description": "A few words, or a tool's name."}},
                "required": ["query"],
            },
        ),
        ToolSpec(
            USE,
            f"Call a tool of another server. Look up its arguments with {FIND} first.",
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": f"A name that {FIND} gave."},
                    "arguments": {"type": "object", "description": "The tool's arguments."},
                },
                "required": ["name", "arguments"],
            },
            writes=True,
        ),
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_LISTED} more" if len(names) > _NAMES_LISTED else ""
    return ", ".join(names[:_NAMES_LISTED]) + more


def _spec(name: str, tool: ServerTool) -> ToolSpec:
    has_usable_schema = tool.schema.get("type") == "object" and len(json.dumps(tool.schema)) <= _SCHEMA_LIMIT
    schema: Json = tool.schema if has_usable_schema else {"type": "object", "properties": {}}
    return ToolSpec(name, tool.description[:_DESCRIPTION_LIMIT] or name, schema, writes=tool.writes)
