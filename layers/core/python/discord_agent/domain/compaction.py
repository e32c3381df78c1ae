"""Shortening a run's conversation before it outgrows the model: old tool results first, then a summary of the middle.

What stays word for word: system messages, the task with its plan, the last thing a person said, and the newest rounds.
"""

import re
from collections.abc import Iterator, Sequence
from copy import replace
from itertools import accumulate, islice
from typing import Final

from msgspec import Struct

from discord_agent.domain.conversation import Message, Role, ToolCall
from discord_agent.domain.run import RunState

START: Final = 0.6
"""The share of the context window from which a conversation is shortened; the rest is for tools, reply and new rounds."""
GOAL: Final = 0.35
"""The share it should take afterwards."""
MINIMUM_GAIN: Final = 0.2
"""The share of a conversation that has to go, or shortening it is not worth a lost prompt cache."""
KEPT_RESULTS: Final = 6
"""How many of the newest tool results stay whole, as far as there is room for them."""

_TAIL: Final = 0.2
_TAIL_IF_FORCED: Final = 0.08
"""The shares of the window that the newest rounds, and in them the results that stay whole, may take."""
_LONG_RESULT: Final = 600
_BEGINNING: Final = 300
_MOST_LINES: Final = 60
_CALL: Final = 160
_BYTES_PER_TOKEN: Final = 3
_TOKENS_PER_MESSAGE: Final = 10
_TOKENS_PER_IMAGE: Final = 1600
_KEPT_FILE: Final = re.compile(r"\.agent/outputs/[\w.-]*\w")


class Parts(Struct, frozen=True):
    """A conversation taken apart: ``middle`` is what a summary may stand for, ``said`` its last words of a person."""

    head: tuple[Message, ...]
    middle: tuple[Message, ...]
    said: tuple[Message, ...]
    tail: tuple[Message, ...]

    def with_summary(self, summary: str) -> tuple[Message, ...]:
        """The conversation with its middle replaced."""
        return (*self.head, Message(Role.USER, summary), *self.said, *self.tail)


def tokens(messages: Sequence[Message]) -> int:
    """An upper bound of what a conversation takes, without a tokeniser."""
    return sum(
        _bytes(message) // _BYTES_PER_TOKEN + _TOKENS_PER_MESSAGE + _TOKENS_PER_IMAGE * len(message.images)
        for message in messages
    )


def is_due(run: RunState, messages: Sequence[Message], window: int, *, force: bool) -> bool:
    """Whether to shorten before the next turn; ``force``: the model refused the conversation as too long.

    Never before two turns in a row, except when forced; never twice before the same turn.
    """
    turn = run.turn + 1
    is_first = run.compacted_at == 0
    # Below zero: the run began anew from an earlier turn.
    was_just_done = not is_first and 0 <= turn - run.compacted_at < (1 if force else 2)
    return not was_just_done and (force or tokens(messages) > window * START)


def is_worth_it(before: Sequence[Message], after: Sequence[Message]) -> bool:
    """Whether shortening gains at least the minimum."""
    return tokens(after) <= tokens(before) * (1 - MINIMUM_GAIN)


def without_old_results(messages: Sequence[Message], window: int, *, force: bool = False) -> tuple[Message, ...]:
    """The conversation with long results of tools, but for the newest, cut to their beginning and where the rest is."""
    calls = {call.id: call for message in messages for call in message.tool_calls}
    whole = _kept_whole(messages, _room(window, force=force))
    return tuple(
        message
        if message.role is not Role.TOOL or index in whole
        else _stub(message, calls.get(message.tool_call_id or ""))
        for index, message in enumerate(messages)
    )


def parts(messages: Sequence[Message], window: int, *, force: bool = False) -> Parts:
    """Take a valid conversation apart; the tail begins where a round does, so that no call loses its result."""
    start = next((index + 1 for index, message in enumerate(messages) if message.role is Role.USER), len(messages))
    end = _tail_start(messages, start, _room(window, force=force))
    middle, tail = tuple(messages[start:end]), tuple(messages[end:])
    spoken = [message for message in middle if message.role is Role.USER]
    is_said_in_tail = any(message.role is Role.USER for message in tail)
    return Parts(tuple(messages[:start]), middle, tuple(spoken[-1:]) if not is_said_in_tail else (), tail)


def transcript(messages: Sequence[Message], limit: int) -> str:
    """A conversation as text of about ``limit`` characters: every message has a share, long ones lose their middle."""
    share = max(limit // max(len(messages), 1), _CALL)
    return "\n".join(line for message in messages for line in _lines(message, share))


def digest(messages: Sequence[Message]) -> str:
    """What was done, told without a model: the newest calls and how their results begin."""
    results = {message.tool_call_id: message.text for message in messages if message.role is Role.TOOL}
    done = [
        f"- {call.name} {_cut(call.arguments, _CALL)} → {_first_line(results.get(call.id, ''))}"
        for message in messages
        for call in message.tool_calls
    ]
    left_out = max(0, len(done) - _MOST_LINES)
    return "\n".join((*([f"- {left_out} earlier calls"] if left_out else []), *done[left_out:]))


def _room(window: int, *, force: bool) -> int:
    return round(window * (_TAIL_IF_FORCED if force else _TAIL))


def _kept_whole(messages: Sequence[Message], room: int) -> frozenset[int]:
    """The places of the newest tool results that fit into ``room`` tokens together."""
    newest_first = [index for index in reversed(range(len(messages))) if messages[index].role is Role.TOOL]
    sizes = accumulate(tokens([messages[index]]) for index in newest_first)
    fitting = (index for index, size in zip(newest_first, sizes, strict=True) if size <= room)
    return frozenset(islice(fitting, KEPT_RESULTS))


def _tail_start(messages: Sequence[Message], start: int, room: int) -> int:
    """Where the newest rounds begin that fit into ``room`` tokens; the last one is kept however large it is."""
    borders = [index for index in range(start, len(messages)) if messages[index].role is not Role.TOOL]
    fitting = [border for border in borders if tokens(messages[border:]) <= room]
    return min(fitting, default=borders[-1] if borders else len(messages))


def _stub(result: Message, call: ToolCall | None) -> Message:
    if len(result.text) <= _LONG_RESULT:
        return result
    kept = _KEPT_FILE.findall(result.text)
    where = f"the whole text is in {kept[-1]}" if kept else "call the tool again if you need the rest"
    name = call.name if call is not None else "a tool"
    note = f"[Shortened: {name} gave {len(result.text)} characters; {where}. It began:]"
    return replace(result, text=f"{note}\n{result.text[:_BEGINNING]}")


def _lines(message: Message, share: int) -> Iterator[str]:
    if message.text.strip():
        yield f"[{message.role}] {_cut(message.text, share)}"
    for call in message.tool_calls:
        yield f"[{message.role}] calls {call.name}: {_cut(call.arguments, share)}"


def _cut(text: str, limit: int) -> str:
    """The head and the tail of a text."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]} … {text[-half:]}"


def _first_line(text: str) -> str:
    return _cut(next((line.strip() for line in text.splitlines() if line.strip()), "no result"), _CALL)


def _bytes(message: Message) -> int:
    called = sum(len(call.name) + len(call.arguments.encode(errors="replace")) for call in message.tool_calls)
    thought = len(message.thinking.content) if message.thinking else 0
    return len(message.text.encode(errors="replace")) + called + thought
