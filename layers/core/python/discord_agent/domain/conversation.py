"""The messages exchanged with a model, independent of any provider."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Cost, Usage

type Json = dict[str, Any]


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model asks for; ``arguments`` is its JSON text as sent, valid or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``tool_calls`` only on assistant messages, ``tool_call_id`` only on tool messages."""

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool offered to the model; ``parameters`` is a JSON Schema, ``writes`` tells whether it may change files."""

    name: str
    description: str
    parameters: Json
    writes: bool = False


class Purpose(StrEnum):
    """What a model call is for; also the name of its prompt or schema."""

    DECIDE = "decide"
    PLAN = "plan"
    TURN = "turn"
    REFLECT = "reflect"
    RESPOND = "respond"
    TITLE = "title"
    COMPACT = "compact"
    """Shorten a run's own conversation."""
    SUMMARIZE = "summarize"
    """Sum up what was said in a thread."""
    BRAINSTORM = "brainstorm"
    CONSOLIDATE = "consolidate"
    BREAKGLASS = "breakglass"


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One completion to ask for; with ``schema`` (a JSON Schema) the reply's text is JSON of that shape."""

    purpose: Purpose
    model: ModelName
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    schema: Json | None = None
    max_output_tokens: int = 8192


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered; ``model`` is the one really used."""

    message: Message
    model: ModelName
    usage: Usage = Usage()
    cost: Cost = Cost()


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool call gave back: ``text`` is what the model sees; ``facts`` are signals for the policy.

    Facts used: ``paths_changed`` (list of str), ``exit_code`` (int), ``interrupted`` (bool),
    ``tests`` ({"run": int, "passed": int}).
    """

    call_id: str
    name: str
    ok: bool
    text: str
    duration_ms: int = 0
    facts: Json = field(default_factory=dict)
