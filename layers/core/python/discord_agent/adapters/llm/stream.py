"""Putting a streamed answer together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from discord_agent.adapters.llm.faults import UnusableAnswer


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


async def collect(stream: Any, emit: Callable[[str], None], *, silence: float) -> tuple[Any, Any]:
    """Read a litellm stream to its end; returns a message shaped like a whole answer's, and its usage or None.

    ``emit`` gets the text so far. Raises TimeoutError after ``silence`` seconds without a chunk, and UnusableAnswer
    when the stream ends before the provider said that it was finished.
    """
    text = ""
    calls: dict[int, _Call] = {}
    usage = None
    chunks = aiter(stream)
    try:
        while True:
            async with asyncio.timeout(silence):
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            usage = getattr(chunk, "usage", None) or usage
            for choice in chunk.choices:
                if choice.delta.content:
                    text += choice.delta.content
                    emit(text)
                for part in choice.delta.tool_calls or ():
                    _add(calls.setdefault(part.index, _Call()), part)
    finally:
        await stream.aclose()
    # litellm ends every stream with a reason of its own making; this is the provider's.
    if stream.received_finish_reason is None and stream.intermittent_finish_reason is None:
        raise UnusableAnswer("the stream broke off")
    return SimpleNamespace(content=text, tool_calls=[_whole(calls[index]) for index in sorted(calls)]), usage


def _add(call: _Call, part: Any) -> None:
    call.id = call.id or part.id or ""
    call.name += part.function.name or ""
    call.arguments.append(part.function.arguments or "")


def _whole(call: _Call) -> SimpleNamespace:
    function = SimpleNamespace(name=call.name, arguments="".join(call.arguments))
    return SimpleNamespace(id=call.id, function=function)
