"""The tools by which a model ends its turn, or says how sure it is: these are calls, never words in prose."""

import json
from typing import Any, Final

from msgspec import Struct

from discord_agent.domain.conversation import Json, ToolCall, ToolSpec
from discord_agent.domain.errors import InvalidInput

_TEXT_LIMIT = 6000
_OPTION_LIMIT = 80
_MOST_OPTIONS = 4


class Finished(Struct, frozen=True):
    """The task is done; ``confidence`` is the model's own, 0 to 100, if it gave one."""

    summary: str
    files: tuple[str, ...] = ()
    confidence: int | None = None


class Asked(Struct, frozen=True):
    """Only people can answer this; ``options`` become buttons."""

    question: str
    options: tuple[str, ...] = ()
    confidence: int | None = None


class GaveUp(Struct, frozen=True):
    """The model sees no way on."""

    reason: str
    tried: str = ""
    confidence: int | None = None


class Reported(Struct, frozen=True):
    """How sure the model is while it goes on; the only control call that does not end the turn."""

    note: str = ""
    confidence: int | None = None


type Ending = Finished | Asked | GaveUp
type Control = Ending | Reported

_CONFIDENCE: Final[Json] = {
    "type": "integer",
    "minimum": 0,
    "maximum": 100,
    "description": "How sure you are that the work is right.",
}

SPECS: Final = (
    ToolSpec(
        "finish",
        "End the task: everything asked for is done and checked. Name only files that exist.",
        {
            "type": "object",
            "properties": {
                "summary": {"type": "string", "description": "What was done and how it was checked, for people."},
                "files": {"type": "array", "items": {"type": "string"}, "description": "Files to send to the chat."},
                "confidence": _CONFIDENCE,
            },
            "required": ["summary"],
        },
    ),
    ToolSpec(
        "ask_user",
        "Pause and ask people a question that only they can answer.",
        {
            "type": "object",
            "properties": {
                "question": {"type": "string"},
                "options": {"type": "array", "items": {"type": "string"}, "description": "Up to four short answers."},
                "confidence": _CONFIDENCE,
            },
            "required": ["question"],
        },
    ),
    ToolSpec(
        "report_stuck",
        "Say that you cannot get further, so that a stronger model or a person can help.",
        {
            "type": "object",
            "properties": {
                "reason": {"type": "string"},
                "tried": {"type": "string", "description": "What you tried and what happened."},
                "confidence": _CONFIDENCE,
            },
            "required": ["reason"],
        },
    ),
    ToolSpec(
        "report_progress",
        "Say how sure you are that the task will come out right, beside other calls; this does not end your turn.",
        {
            "type": "object",
            "properties": {
                "confidence": _CONFIDENCE,
                "note": {"type": "string", "description": "What makes you more or less sure, in a sentence."},
            },
            "required": ["confidence"],
        },
    ),
)

NAMES: Final = frozenset(spec.name for spec in SPECS)


def parse(call: ToolCall) -> Control:
    """Read a control call; InvalidInput says what the model has to mend."""
    arguments = _arguments(call)
    confidence = _percentage(arguments.get("confidence"))
    match call.name:
        case "finish":
            return Finished(_text(call, arguments, "summary"), _texts(call, arguments, "files"), confidence)
        case "ask_user":
            options = tuple(option[:_OPTION_LIMIT] for option in _texts(call, arguments, "options"))
            return Asked(_text(call, arguments, "question"), options[:_MOST_OPTIONS], confidence)
        case "report_stuck":
            tried = arguments.get("tried", "")
            return GaveUp(_text(call, arguments, "reason"), str(tried)[:_TEXT_LIMIT], confidence)
        case "report_progress":
            if confidence is None:
                raise InvalidInput("report_progress needs a number 'confidence' from 0 to 100")
            return Reported(str(arguments.get("note") or "")[:_TEXT_LIMIT], confidence)
        case unknown:
            raise InvalidInput(f"{unknown} is not a control tool")


def _arguments(call: ToolCall) -> Json:
    try:
        arguments: Any = json.loads(call.arguments or "{}")
    except ValueError as error:
        raise InvalidInput(f"the arguments of {call.name} are not valid JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise InvalidInput(f"the arguments of {call.name} must be a JSON object")
    return arguments


def _text(call: ToolCall, arguments: Json, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{call.name} needs a non-empty string {name!r}")
    return value.strip()[:_TEXT_LIMIT]


def _texts(call: ToolCall, arguments: Json, name: str) -> tuple[str, ...]:
    values = arguments.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidInput(f"{name!r} of {call.name} must be a list of strings")
    return tuple(value.strip() for value in values if value.strip())


def _percentage(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN
    return max(0, min(100, round(value))) if is_number else None
