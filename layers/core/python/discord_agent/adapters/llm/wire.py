"""Messages, tools and replies in OpenAI's format, which litellm translates for each provider."""

import json
from dataclasses import replace
from typing import Any, Final

from discord_agent.domain.conversation import Json, Message, ModelRequest, Role, ToolCall, ToolSpec
from discord_agent.domain.history import repaired
from discord_agent.domain.money import Usage

TEXT_LIMIT: Final = 400_000
ARGUMENTS_LIMIT: Final = 1_000_000
CALLS_LIMIT: Final = 64
_CUT: Final = "\n… (cut: the reply was too long)"


def request_body(request: ModelRequest) -> Json:
    """The parts of a request that do not depend on the provider."""
    body: Json = {
        "messages": [_message(message) for message in repaired(request.messages)],
        "max_tokens": request.max_output_tokens,
    }
    if request.tools:
        body["tools"] = [_tool(spec) for spec in request.tools]
    if request.schema is not None:
        schema = {"name": str(request.purpose), "schema": request.schema, "strict": False}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def parse_message(reply: Any, request: ModelRequest) -> Message:
    """The assistant message of a provider's reply, bounded, with call ids that are new to the conversation."""
    calls = tuple(
        ToolCall(str(call.id or ""), str(call.function.name or ""), str(call.function.arguments or "{}"))
        for call in reply.tool_calls or ()
    )
    return bounded(Message(Role.ASSISTANT, reply.content or "", calls), request)


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
    """The tokens a provider reports; all zero when it reports none."""
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        input=getattr(usage, "prompt_tokens", None) or 0,
        cached_input=getattr(details, "cached_tokens", None) or 0,
        output=getattr(usage, "completion_tokens", None) or 0,
    )


def _message(message: Message) -> Json:
    if message.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    if not message.tool_calls:
        return {"role": str(message.role), "content": message.text}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _arguments(call.arguments)}}
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": message.text or None, "tool_calls": calls}


def _arguments(arguments: str) -> str:
    """Some providers take only JSON objects back; what the model wrote wrongly is shown to it inside one."""
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except ValueError:
        is_object = False
    return arguments if is_object else json.dumps({"not_a_json_object": arguments})


def _tool(spec: ToolSpec) -> Json:
    function = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
    return {"type": "function", "function": function}
