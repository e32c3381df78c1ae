"""Putting a streamed answer together."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from msgspec import Struct, field

from discord_agent.adapters.llm.faults import UnusableAnswer
from discord_agent.adapters.llm.thoughts import Thoughts
from discord_agent.adapters.llm.wire import ARGUMENTS_LIMIT, TEXT_LIMIT


class _Call(Struct):
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    size: int = 0
    fields: Any = None


async def collect(stream: Any, emit: Callable[[str], None], *, silence: float) -> tuple[Any, Any]:
    """Read a litellm stream to its end; returns a message shaped like a whole answer's, and its usage or None.

    ``emit`` gets the text so far. What exceeds the limits of a reply is read, for the usage at its end, but not kept. Raises TimeoutError after ``silence`` seconds without a chunk, and UnusableAnswer
    when the stream ends before the provider said that it was finished.
    """
    text = ""
    thoughts = Thoughts()
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
                thoughts.add(choice.delta)
                if choice.delta.content and len(text) <= TEXT_LIMIT:
                    text += choice.delta.content
                    emit(text)
                for part in choice.delta.tool_calls or ():
                    _add(calls.setdefault(part.index, _Call()), part)
    finally:
        await stream.aclose()
    # litellm ends every stream with a reason of its own making; this is the provider's.
    if stream.received_finish_reason is None and stream.intermittent_finish_reason is None:
        raise UnusableAnswer("the stream broke off")
    whole = SimpleNamespace(
        content=text,
        tool_calls=[_whole(calls[index]) for index in sorted(calls)],
        reasoning_content=thoughts.reasoning_content,
        thinking_blocks=thoughts.thinking_blocks,
    )
    return whole, usage


def _add(call: _Call, part: Any) -> None:
    call.id = call.id or part.id or ""
    call.name += part.function.name or ""
    if call.size <= ARGUMENTS_LIMIT:
        call.arguments.append(part.function.arguments or "")
        call.size += len(call.arguments[-1])
    call.fields = getattr(part, "provider_specific_fields", None) or call.fields


def _whole(call: _Call) -> SimpleNamespace:
    function = SimpleNamespace(name=call.name, arguments="".join(call.arguments))
    return SimpleNamespace(id=call.id, function=function, provider_specific_fields=call.fields)
