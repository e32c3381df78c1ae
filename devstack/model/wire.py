"""OpenAI's chat-completions format: whole answers, streamed chunks and errors."""

import json
from collections.abc import Iterator
from typing import Any, Final

from devstack.model.request import ChatRequest, Json

_PIECE: Final = 48
DONE: Final = b"data: [DONE]\n\n"


def finish_reason_of(message: Json) -> str:
    """Why the model stopped."""
    return "tool_calls" if message.get("tool_calls") else "stop"


def completion(request: ChatRequest, message: Json, *, reply_id: str, finish_reason: str, usage: Json) -> Json:
    """The whole answer."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return _envelope(request, reply_id, "chat.completion") | {"choices": [choice], "usage": usage}


def chunks(request: ChatRequest, message: Json, *, reply_id: str, finish_reason: str, usage: Json) -> Iterator[bytes]:
    """The answer as server-sent events, in pieces of a few words, with a usage chunk if it was asked for."""
    envelope = _envelope(request, reply_id, "chat.completion.chunk")
    yield _event(envelope, {"role": "assistant"})
    for piece in _pieces(message.get("reasoning_content") or ""):
        yield _event(envelope, {"reasoning_content": piece})
    for block in message.get("thinking_blocks") or ():
        yield from (_event(envelope, _thought(part)) for part in _block_parts(block))
    for piece in _pieces(message.get("content") or ""):
        yield _event(envelope, {"content": piece})
    for index, call in enumerate(message.get("tool_calls") or ()):
        head = {"index": index, "id": call["id"], "type": "function"}
        yield _event(
            envelope, {"tool_calls": [head | {"function": {"name": call["function"]["name"], "arguments": ""}}]}
        )
        for piece in _pieces(call["function"]["arguments"]):
            yield _event(envelope, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _event(envelope, {}, finish_reason)
    if request.include_usage:
        yield _data(envelope | {"choices": [], "usage": usage})
    yield DONE


def error(message: str, *, kind: str, code: str | None = None) -> Json:
    """An error body."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _envelope(request: ChatRequest, reply_id: str, kind: str) -> Json:
    # The creation time is constant: an answer depends on its request alone.
    return {"id": reply_id, "object": kind, "created": 0, "model": request.model}


def _event(envelope: Json, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    return _data(envelope | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def _data(value: Json) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _thought(part: Json) -> Json:
    """As a LiteLLM gateway streams it: the block, once more among the provider's own fields, and its text."""
    delta: Json = {"thinking_blocks": [part], "provider_specific_fields": {"thinking_blocks": [part]}}
    return delta | {"reasoning_content": part["thinking"]} if part.get("thinking") else delta


def _block_parts(block: Json) -> Iterator[Json]:
    """A thought comes in pieces, its signature last; a redacted one comes whole."""
    if "thinking" not in block:
        yield block
        return
    yield from ({"type": block["type"], "thinking": piece} for piece in _pieces(block["thinking"]))
    yield {"type": block["type"], "thinking": "", "signature": block.get("signature", "")}


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
