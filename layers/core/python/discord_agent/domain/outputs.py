"""What a conversation can hold: replies and results cut to a size that models and storage take, and why."""

from collections.abc import Sequence
from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain.conversation import ModelReply, ToolCall, ToolResult
from discord_agent.domain.workspace import AGENT_FOLDER, MAX_FILE_BYTES

MOST_CALLS: Final = 64
"""Tool calls of one reply; the sandbox takes no more in a round."""

_RESULT_HEAD: Final = 8_000
_RESULT_TAIL: Final = 24_000
"""The end of an output tells most. Together more than the sandbox's tools let through, which cut with more sense."""

_RESULT_LIMIT: Final = 64_000
_REPLY_LIMIT: Final = 64_000
_REPLY_PART: Final = 24_000
_ARGUMENTS_LIMIT: Final = 512_000
_THINKING_LIMIT: Final = 256_000
_NAME_LIMIT: Final = 64


class Bounded(Struct, frozen=True):
    """A reply that fits, and what was cut from it, each a clause; ``refused`` are the ids of calls not to be run."""

    reply: ModelReply
    cuts: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()


def bounded(reply: ModelReply) -> Bounded:
    """A reply of any size as one that can be kept: text cut in the middle, calls beyond 64 left out, huge ones refused."""
    text = _cut(well_formed(reply.message.text), _REPLY_LIMIT, _REPLY_PART, _REPLY_PART, "")
    asked = reply.message.tool_calls
    calls = tuple(_well_formed_call(call) for call in asked[:MOST_CALLS])
    refused = frozenset(call.id for call in calls if len(call.arguments) > _ARGUMENTS_LIMIT)
    kept = tuple(replace(call, arguments="{}") if call.id in refused else call for call in calls)
    thinking = reply.message.thinking
    thinks_too_much = thinking is not None and len(thinking.content) > _THINKING_LIMIT
    cuts = (
        (len(reply.message.text) > _REPLY_LIMIT, f"a text of {len(reply.message.text)} characters was cut"),
        (len(asked) > MOST_CALLS, f"{len(asked) - MOST_CALLS} calls beyond {MOST_CALLS} were left out"),
        (thinks_too_much, f"thoughts of more than {_THINKING_LIMIT} characters were left out"),
        (refused, f"{len(refused)} calls with arguments over {_ARGUMENTS_LIMIT} characters were refused"),
    )
    # Thoughts are signed by their maker: they stay whole or go.
    message = replace(reply.message, text=text, tool_calls=kept, thinking=None if thinks_too_much else thinking)
    return Bounded(replace(reply, message=message), tuple(cut for applies, cut in cuts if applies), refused)


def refusal(call: ToolCall) -> ToolResult:
    """What the model is told about a call whose arguments were too long to keep."""
    text = f"Not run: the arguments were longer than {_ARGUMENTS_LIMIT} characters; write less at once."
    return ToolResult(call.id, call.name, ok=False, text=text)


def with_left_out(results: Sequence[ToolResult], left_out: int) -> tuple[ToolResult, ...]:
    """The results of a round whose last one says how many further calls were not run."""
    if not left_out or not results:
        return tuple(results)
    note = f"\n[{left_out} further calls were not run: at most {MOST_CALLS} in one go]"
    return (*results[:-1], replace(results[-1], text=results[-1].text + note))


def is_too_long(result: ToolResult) -> bool:
    """Whether a result is to be cut before a model sees it."""
    return len(result.text) > _RESULT_LIMIT


def whole_of(result: ToolResult) -> bytes:
    """A result's text as a file of the workspace; what no file may hold is cut off."""
    return result.text.encode("utf-8", "replace")[:MAX_FILE_BYTES]


def kept_at(result: ToolResult) -> str:
    """Where the whole text of a result is kept in the workspace."""
    return f"{AGENT_FOLDER}/outputs/{result.call_id}.txt"


def shortened(result: ToolResult, note: str) -> ToolResult:
    """A long result as the model sees it: both ends, and ``note`` says where the rest is."""
    return replace(result, text=_cut(result.text, _RESULT_LIMIT, _RESULT_HEAD, _RESULT_TAIL, f"; {note}"))


def well_formed(text: str) -> str:
    """Text that can be encoded: halves of characters, which some providers and tools let through, are replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _well_formed_call(call: ToolCall) -> ToolCall:
    return replace(call, name=well_formed(call.name)[:_NAME_LIMIT], arguments=well_formed(call.arguments))


def _cut(text: str, limit: int, head: int, tail: int, note: str) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:head]}\n[… {len(text) - head - tail} characters left out{note} …]\n{text[-tail:]}"
