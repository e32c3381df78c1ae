"""The messages exchanged with a model, independent of any provider."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from discord_agent.domain.hiding import shown
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Cost, Usage, Usd

type Json = dict[str, Any]


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class ToolCall(Struct, frozen=True):
    """A tool the model asks for; ``arguments`` is its JSON text as sent, valid or not."""

    id: str
    name: str
    arguments: str


class Image(Struct, frozen=True):
    """A picture in the workspace; ``media_type`` such as image/png."""

    path: str
    media_type: str


class Thinking(Struct, frozen=True):
    """What a model thought before it spoke: the JSON object in which its ``maker``, and nobody else, takes it back."""

    maker: str
    content: str


class Message(Struct, frozen=True):
    """One message.

    ``tool_calls`` and ``thinking`` only on assistant messages, ``tool_call_id`` only on tool messages, ``images`` only
    on those of users.
    """

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[Image, ...] = ()
    thinking: Thinking | None = None


class ToolSpec(Struct, frozen=True):
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


class ModelRequest(Struct, frozen=True):
    """One completion to ask for; with ``schema`` (a JSON Schema) the reply's text is JSON of that shape.

    ``image_bytes`` holds the images of its messages by their paths; one without bytes, or for a model that cannot see,
    becomes a note. ``max_output_tokens`` is bounded by what the model can write. ``may_cost`` bounds all attempts at
    it together: the first is always made, another one only if it fits; None: as often as patience allows.
    """

    purpose: Purpose
    model: ModelName
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    schema: Json | None = None
    max_output_tokens: int = 8192
    image_bytes: Mapping[str, bytes] = field(default_factory=dict)
    may_cost: Usd | None = None

    def __repr__(self) -> str:
        return shown(self, without=("image_bytes",))


class ModelReply(Struct, frozen=True):
    """What a model answered; ``model`` is the one really used, ``instead_of`` the one that was asked and failed."""

    message: Message
    model: ModelName
    usage: Usage = Usage()
    cost: Cost = Cost()
    instead_of: ModelName | None = None


class ToolResult(Struct, frozen=True):
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
