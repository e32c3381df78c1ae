"""What models see of the past: the chat before a request, and a message list that every provider accepts."""

import re
from collections.abc import Iterable, Sequence
from copy import replace
from datetime import timedelta
from typing import Final

from discord_agent.domain.conversation import Message, Role, ToolCall
from discord_agent.domain.ids import MessageId, snowflake_time_ms
from discord_agent.domain.inbound import Attachment, InboundMessage

WINDOW: Final = timedelta(minutes=30)
"""How far back the chat of a channel is shown; a thread is told whole, its older part as a summary."""

UNANSWERED: Final = "No result: the call was interrupted."
NO_OUTPUT: Final = "(no output)"

_MENTION = re.compile(r"<@!?(\d+)>")
_IMAGES = frozenset({"png", "jpg", "jpeg", "gif", "webp"})
_CODE = frozenset(
    {"js", "ts", "py", "tf", "txt", "csv", "json", "yaml", "yml", "md", "sh", "sql", "html", "css", "xml", "toml", "ini", "go", "rs", "java", "hcl"}
)  # fmt: skip


def lines(messages: Iterable[InboundMessage], *, without: MessageId) -> tuple[str, ...]:
    """The chat before the message ``without``, oldest first: ``Author: content [files]``, at most 30 minutes of it."""
    since = snowflake_time_ms(without) - WINDOW / timedelta(milliseconds=1)
    return tuple(line for message, line in told(messages, without=without) if _is_recent(message, since))


def told(messages: Iterable[InboundMessage], *, without: MessageId) -> tuple[tuple[InboundMessage, str], ...]:
    """All messages but ``without`` with their lines, in their order.

    Cards of the bot have no text and so no line. Further lines of a message are indented, so that nobody can
    write in another's name.
    """
    seen = list(messages)
    names: dict[str, str] = {message.author.id: message.author.name for message in seen}
    shown = ((message, _line(message, names)) for message in seen if message.id != without)
    return tuple((message, line) for message, line in shown if line)


def repaired(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages as every provider accepts them; a valid list stays as it is.

    System messages come first. Every tool call is followed by exactly one result, in the order of the calls;
    results without a call, repetitions and empty messages are left out.
    """
    results = _results_by_call(messages)
    system = [message for message in messages if message.role is Role.SYSTEM and message.text.strip()]
    rest: list[Message] = []
    for index, message in enumerate(messages):
        said = _without_repeated_calls(message)
        is_empty = not said.text.strip() and not said.tool_calls and not said.images
        is_repeated = bool(rest) and said == rest[-1] and not said.tool_calls
        if said.role in (Role.SYSTEM, Role.TOOL) or is_empty or is_repeated:
            continue
        rest += [said, *(_result_of(call, results.get((index, call.id))) for call in said.tool_calls)]
    return (*system, *rest)


def without_last_answer(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages without the newest one of the assistant and the results of its calls; what people said stays."""
    last = next((index for index in reversed(range(len(messages))) if messages[index].role is Role.ASSISTANT), None)
    if last is None:
        return tuple(messages)
    after = (message for message in messages[last + 1 :] if message.role is not Role.TOOL)
    return (*messages[:last], *after)


def readable_by(messages: Sequence[Message], maker: str) -> tuple[Message, ...]:
    """The messages without what models of other makers thought: those signed it, and nobody else takes it back."""
    return tuple(
        replace(message, thinking=None) if message.thinking and message.thinking.maker != maker else message
        for message in messages
    )


def _results_by_call(messages: Sequence[Message]) -> dict[tuple[int, str], Message]:
    """The first result of each call, by the place of the calling message and the call's id."""
    results: dict[tuple[int, str], Message] = {}
    callers: dict[str, int] = {}
    for index, message in enumerate(messages):
        callers |= dict.fromkeys((call.id for call in message.tool_calls), index)
        caller = callers.get(message.tool_call_id or "")
        if message.role is Role.TOOL and caller is not None:
            results.setdefault((caller, message.tool_call_id or ""), message)
    return results


def _without_repeated_calls(message: Message) -> Message:
    if message.role is not Role.ASSISTANT:
        return replace(message, tool_calls=()) if message.tool_calls else message
    calls = {call.id: call for call in reversed(message.tool_calls)}
    return replace(message, tool_calls=tuple(reversed(calls.values())))


def _result_of(call: ToolCall, result: Message | None) -> Message:
    if result is None:
        return Message(Role.TOOL, UNANSWERED, tool_call_id=call.id)
    return result if result.text.strip() else replace(result, text=NO_OUTPUT)


def _is_recent(message: InboundMessage, since_ms: float) -> bool:
    return snowflake_time_ms(message.id) >= since_ms


def _line(message: InboundMessage, names: dict[str, str]) -> str:
    text = _MENTION.sub(lambda mention: f"@{names.get(mention[1], mention[1])}", message.content).strip()
    said = " ".join(part for part in (text.replace("\n", "\n  "), *_files(message.attachments)) if part)
    return f"{message.author.name or 'Unknown'}: {said}" if said else ""


def _files(attachments: Sequence[Attachment]) -> list[str]:
    kinds = [(_kind(attachment), attachment.filename) for attachment in attachments]
    images = sum(kind == "image" for kind, _ in kinds)
    code = [name for kind, name in kinds if kind == "code"]
    others = len(kinds) - images - len(code)
    notes = (
        (images, f"[{images} image(s)]"),
        (len(code), f"[{len(code)} code file(s): {', '.join(code)}]"),
        (others, f"[{others} other file(s)]"),
    )
    return [note for count, note in notes if count]


def _kind(attachment: Attachment) -> str:
    extension = attachment.filename.rpartition(".")[2].lower()
    if attachment.content_type.startswith("image/") or extension in _IMAGES:
        return "image"
    return "code" if attachment.content_type.startswith("text/") or extension in _CODE else "other"
