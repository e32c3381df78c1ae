import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from discord_agent.adapters.llm.faults import UnusableAnswer
from discord_agent.adapters.llm.stream import collect
from discord_agent.adapters.llm.wire import ARGUMENTS_LIMIT, TEXT_LIMIT


class Stream:
    """What litellm gives for a stream."""

    def __init__(self, deltas: Sequence[Any], *, ended: bool = True, usage: object = None) -> None:
        self._deltas = deltas
        self._usage = usage
        self.received_finish_reason = "stop" if ended else None
        self.intermittent_finish_reason = None
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        for delta in self._deltas:
            yield SimpleNamespace(choices=[SimpleNamespace(delta=delta)], usage=None)
        yield SimpleNamespace(choices=[], usage=self._usage)

    async def aclose(self) -> None:
        self.closed = True


def says(text: str) -> SimpleNamespace:
    return SimpleNamespace(content=text, tool_calls=None)


def calls(*parts: tuple[int, str, str, str]) -> SimpleNamespace:
    listed = [
        SimpleNamespace(index=index, id=call_id, function=SimpleNamespace(name=name, arguments=arguments))
        for index, call_id, name, arguments in parts
    ]
    return SimpleNamespace(content=None, tool_calls=listed)


def collected(stream: Stream, texts: list[str] | None = None) -> tuple[Any, Any]:
    return asyncio.run(collect(stream, (texts if texts is not None else []).append, silence=5))


def test_every_piece_tells_the_text_so_far() -> None:
    texts: list[str] = []
    message, usage = collected(Stream([says("Hel"), says(""), says("lo.")], usage="tokens"), texts)

    assert texts == ["Hel", "Hello."]
    assert (message.content, usage) == ("Hello.", "tokens")


def test_calls_are_put_together_by_their_place() -> None:
    message, _ = collected(
        Stream([calls((1, "b", "write", "{}"), (0, "a", "re", '{"p')), calls((0, "", "ad", '":1}'))])
    )

    assert [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls] == [
        ("a", "read", '{"p":1}'),
        ("b", "write", "{}"),
    ]


def test_a_stream_without_the_providers_end_is_no_answer() -> None:
    stream = Stream([says("Hel")], ended=False)
    with pytest.raises(UnusableAnswer):
        collected(stream)

    assert stream.closed


def test_what_is_beyond_measure_is_not_kept() -> None:
    long = "x" * (TEXT_LIMIT // 2)
    endless = "y" * (ARGUMENTS_LIMIT // 2)
    message, usage = collected(Stream([*[says(long)] * 9, *[calls((0, "a", "", endless))] * 9], usage="tokens"))

    assert TEXT_LIMIT < len(message.content) <= 2 * TEXT_LIMIT
    assert ARGUMENTS_LIMIT < len(message.tool_calls[0].function.arguments) <= 2 * ARGUMENTS_LIMIT
    assert usage == "tokens"
