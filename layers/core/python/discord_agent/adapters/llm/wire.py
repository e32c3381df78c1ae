"""Messages, tools and replies in OpenAI's format, which litellm translates for each provider."""

import base64
import json
from copy import replace
from typing import Any, Final

from msgspec import Struct

from discord_agent.adapters.llm.thoughts import thinking_of, with_thinking
from discord_agent.domain.conversation import Image, Json, Message, ModelRequest, Role, ToolCall, ToolSpec
from discord_agent.domain.history import readable_by, repaired
from discord_agent.domain.money import Usage

TEXT_LIMIT: Final = 400_000
ARGUMENTS_LIMIT: Final = 1_000_000
CALLS_LIMIT: Final = 64
_CUT: Final = "\n… (cut: the reply was too long)"
_MARK: Final = {"cache_control": {"type": "ephemeral"}}


class Reader(Struct, frozen=True):
    """Who reads a request: whose thoughts it takes back, what it can see and write, and whether caching is asked for.

    Makers that cache what begins alike by themselves need no marks.
    """

    maker: str
    sees: bool = False
    marks_cache: bool = False
    output: int = 8192


def request_body(request: ModelRequest, reader: Reader) -> Json:
    """A request for a reader; messages that come again in a longer request are written alike, but for the marks."""
    messages = [_message(message, request, reader) for message in readable_by(repaired(request.messages), reader.maker)]
    body: Json = {
        "messages": _marked(messages) if reader.marks_cache else messages,
        "max_tokens": min(request.max_output_tokens, reader.output),
    }
    if request.tools:
        body["tools"] = [_tool(spec) for spec in request.tools]
    if request.schema is not None:
        schema = {"name": str(request.purpose), "schema": request.schema, "strict": False}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def parse_message(reply: Any, request: ModelRequest, reader: Reader) -> Message:
    """The assistant message of a provider's reply, bounded, with call ids that are new to the conversation."""
    calls = tuple(
        ToolCall(str(call.id or ""), str(call.function.name or ""), str(call.function.arguments or "{}"))
        for call in reply.tool_calls or ()
    )
    message = Message(Role.ASSISTANT, reply.content or "", calls, thinking=thinking_of(reply, reader.maker))
    return bounded(message, request)


def bounded(message: Message, request: ModelRequest) -> Message:
    """Cut what is too long; number the calls anew if ids are missing, repeated or were used before."""
    text = message.text if len(message.text) <= TEXT_LIMIT else message.text[:TEXT_LIMIT] + _CUT
    calls = [replace(call, arguments=call.arguments[:ARGUMENTS_LIMIT]) for call in message.tool_calls[:CALLS_LIMIT]]
    used = {call.id for earlier in request.messages for call in earlier.tool_calls} | {""}
    ids = {call.id for call in calls}
    if len(ids) < len(calls) or ids & used:
        calls = [replace(call, id=f"call_{len(request.messages)}_{number}") for number, call in enumerate(calls)]
    return replace(message, text=text, tool_calls=tuple(calls))


def parse_usage(usage: Any) -> Usage:
    """The tokens a provider reports, none below zero; all zero when it reports none."""
    details = getattr(usage, "prompt_tokens_details", None)
    paid = _tokens(usage, "prompt_tokens")
    cached = min(paid, _tokens(details, "cached_tokens"))
    # Which field tells what was put into a cache depends on the provider, and on who translated its answer.
    written = _tokens(details, "cache_creation_tokens") or _tokens(usage, "cache_creation_input_tokens")
    return Usage(paid, cached, _tokens(usage, "completion_tokens"), min(paid - cached, written))


def _tokens(source: Any, name: str) -> int:
    value = getattr(source, name, None)
    return max(0, value) if isinstance(value, int) else 0


def _message(message: Message, request: ModelRequest, reader: Reader) -> Json:
    text = _sendable(message.text)
    if message.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": text}
    if message.images:
        return {"role": str(message.role), "content": _shown(text, message.images, request, reader)}
    written: Json = {"role": str(message.role), "content": text}
    if message.tool_calls:
        written |= {"content": text or None, "tool_calls": [_call(call) for call in message.tool_calls]}
    return with_thinking(written, message.thinking)


def _call(call: ToolCall) -> Json:
    function = {"name": _sendable(call.name), "arguments": _arguments(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _sendable(text: str) -> str:
    """Half a surrogate pair, which JSON can spell, has no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _shown(text: str, images: tuple[Image, ...], request: ModelRequest, reader: Reader) -> list[Json] | str:
    """Text and pictures; what cannot be shown is named, so that the model neither guesses nor asks in vain."""
    shown = [image for image in images if reader.sees and image.path in request.image_bytes]
    notes = [_note(image, reader) for image in images if image not in shown]
    text = "\n".join(part for part in (text, *notes) if part)
    if not shown:
        return text
    pictures = [_picture(image, request.image_bytes[image.path]) for image in shown]
    return [{"type": "text", "text": text}, *pictures] if text else pictures


def _note(image: Image, reader: Reader) -> str:
    reason = "it is not available any more" if reader.sees else "this model cannot see images"
    return f"[image {image.path}: {reason}]"


def _picture(image: Image, content: bytes) -> Json:
    url = f"data:{image.media_type};base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _marked(messages: list[Json]) -> list[Json]:
    """Marks where a cached prefix may end: the instructions with the tools, the end of the last request, and this one's.

    The end of the last request is what came before the newest answer; marked again, it is found in the cache.
    """
    answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    ends = [index for index, message in enumerate(messages) if message["role"] == "system"][-1:]
    ends += [answers[-1] - 1] if answers else []
    ends += [len(messages) - 1]
    places = {index for index in ends if index >= 0 and messages[index]["role"] != "assistant"}
    return [_mark(message) if index in places else message for index, message in enumerate(messages)]


def _mark(message: Json) -> Json:
    content = message["content"]
    if isinstance(content, str):
        return message | _MARK
    return message | {"content": [*content[:-1], content[-1] | _MARK]}


def _arguments(arguments: str) -> str:
    """Some providers take only JSON objects back; what the model wrote wrongly is shown to it inside one."""
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except ValueError:
        is_object = False
    return _sendable(arguments) if is_object else json.dumps({"not_a_json_object": _sendable(arguments)})


def _tool(spec: ToolSpec) -> Json:
    function = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
    return {"type": "function", "function": function}
