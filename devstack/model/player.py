"""Which entry of a script answers a request: decided from the request alone, so a repeated call gets the same answer."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from devstack.model.request import ChatRequest, Json, text_of
from devstack.model.script import Entry, Fault, Script, ScriptedUsage
from devstack.model.unscripted import answer_without_script
from discord_agent.domain.conversation import Purpose

_CHARACTERS_PER_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """What to say; ``message`` is None where a fault is all there is. ``position`` counts from 0."""

    position: int
    scripted: bool
    message: Json | None
    faults: tuple[Fault, ...] = ()
    usage: ScriptedUsage | None = None
    finish_reason: str | None = None


def choose(script: Script, request: ChatRequest) -> Line:
    """The line for a request.

    Entries whose ``when`` matches what people said, and whose ``model`` the one that is asked, are played in order; those that also have ``match_last`` are
    asides: they answer whenever the last message matches, and do not move the position.
    """
    eligible = [
        (number, entry) for number, entry in enumerate(script.entries(request.purpose)) if _is_meant(entry, request)
    ]
    asides = [(number, entry) for number, entry in eligible if entry.match_last]
    lines = [entry for _, entry in eligible if not entry.match_last]
    position = _position(request, [entry for _, entry in asides], script.introduction)
    for number, entry in asides:
        if entry.match_last and entry.match_last.search(request.last_text):
            return _line(script, request, entry, position, f"aside_{number}")
    if position < len(lines):
        return _line(script, request, lines[position], position, f"line_{position}")
    message = answer_without_script(script, request, exhausted=bool(lines))
    return Line(position, scripted=False, message=_introduced(script, request, message))


def _is_meant(entry: Entry, request: ChatRequest) -> bool:
    is_said = entry.when is None or entry.when.search(request.user_text) is not None
    return is_said and (entry.model is None or entry.model.search(request.model) is not None)


def usage_of(request: ChatRequest, message: Json, scripted: ScriptedUsage | None) -> Json:
    """Tokens in OpenAI's format: a quarter of the characters of the JSON sent and answered, rounded up."""
    asked = [*request.messages, *request.tools]
    prompt = scripted.prompt_tokens if scripted else _tokens(asked)
    completion = scripted.completion_tokens if scripted else _tokens(message)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": scripted.cached_tokens if scripted else 0,
            "cache_creation_tokens": scripted.cache_write_tokens if scripted else 0,
        },
    }


def _tokens(value: object) -> int:
    return math.ceil(len(json.dumps(value, ensure_ascii=False)) / _CHARACTERS_PER_TOKEN)


def _position(request: ChatRequest, asides: Sequence[Entry], introduction: str) -> int:
    """How many lines were said already: the assistant's messages that are no asides."""
    said = [_fingerprint(_message(aside, "")) for aside in asides]
    answers = [message for message in request.messages if message["role"] == "assistant"]
    return sum(_fingerprint(answer, introduction) not in said for answer in answers)


def _fingerprint(message: Mapping[str, Any], introduction: str = "") -> object:
    """A message without its call ids, which callers may change, and without the introduction."""
    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()]
    return text_of(message).removeprefix(introduction).strip(), calls


def _line(script: Script, request: ChatRequest, entry: Entry, position: int, label: str) -> Line:
    message = _introduced(script, request, _message(entry, label)) if entry.says_something else None
    faults = tuple(fault for fault in entry.fault if fault.model is None or fault.model.search(request.model))
    return Line(position, True, message, faults, entry.usage, entry.finish_reason)  # noqa: FBT003


def _message(entry: Entry, label: str) -> Json:
    message: Json = {"role": "assistant", "content": entry.text}
    if entry.reasoning_content is not None:
        message["reasoning_content"] = entry.reasoning_content
    if entry.thinking_blocks:
        message["thinking_blocks"] = list(entry.thinking_blocks)
    if entry.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id or f"call_{label}_{number}",
                "type": "function",
                "function": {"name": call.function.name, "arguments": _arguments(call.function.arguments)},
            }
            for number, call in enumerate(entry.tool_calls)
        ]
    return message


def _arguments(arguments: dict[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _introduced(script: Script, request: ChatRequest, message: Json) -> Json:
    """The first text that people see says who is talking; replies in JSON are not seen."""
    first = not any(other["role"] == "assistant" for other in request.messages)
    visible = request.purpose in {Purpose.TURN, Purpose.RESPOND}
    text = message.get("content") or ""
    if not (first and visible) or script.introduction in text:
        return message
    return message | {"content": f"{script.introduction}\n\n{text}".rstrip()}
