"""Asking a model for an answer of a certain shape."""

import re
from collections.abc import Callable
from copy import replace
from typing import Final

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from discord_agent.domain.conversation import Message, ModelReply, ModelRequest, Role
from discord_agent.domain.errors import InvalidReply
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Cost, Usage
from discord_agent.ports import LanguageModel
from discord_agent.replies import schema_of

_SHOWN: Final = 4000
_MOST_FAULTS: Final = 8
_FENCE: Final = re.compile(r"```(?:json)?\s*(?P<inside>.*?)```", re.DOTALL | re.IGNORECASE)


class Spent(Struct, frozen=True):
    """What an answer took, a repetition included, and of which model.

    ``adjusted`` says which of its values were not taken as they came.
    """

    usage: Usage
    cost: Cost
    model: ModelName
    adjusted: tuple[str, ...] = ()


def ask[T: BaseModel](
    model: LanguageModel,
    request: ModelRequest,
    shape: type[T],
    *,
    stop_requested: Callable[[], bool] | None = None,
) -> tuple[T, Spent]:
    """Ask for a ``shape``; an invalid reply is asked for once more with its error, then InvalidReply is raised."""
    request = replace(request, schema=schema_of(shape))
    first = model.complete(request, stop_requested=stop_requested)
    adjusted: list[str] = []
    try:
        return _parse(shape, first, adjusted), Spent(first.usage, first.cost, first.model, tuple(adjusted))
    except ValidationError as error:
        again = _with_error(request, first, error)
    second = model.complete(again, stop_requested=stop_requested)
    adjusted.clear()
    try:
        parsed = _parse(shape, second, adjusted)
        usage, cost = first.usage + second.usage, first.cost + second.cost
        return parsed, Spent(usage, cost, second.model, tuple(adjusted))
    except ValidationError as error:
        raise InvalidReply(f"{request.purpose}: {_faults(error)}", spent=first.cost + second.cost) from error


def _parse[T: BaseModel](shape: type[T], reply: ModelReply, adjusted: list[str]) -> T:
    return shape.model_validate_json(_json_in(reply.message.text), context=adjusted)


def _json_in(text: str) -> str:
    """The JSON object in a reply: models wrap it in code fences or in a sentence, schema or not."""
    fenced = _FENCE.search(text)
    inside = fenced["inside"] if fenced and not text.lstrip().startswith("{") else text
    start, end = inside.find("{"), inside.rfind("}")
    return inside[start : end + 1] if 0 <= start < end else inside


def _with_error(request: ModelRequest, reply: ModelReply, error: ValidationError) -> ModelRequest:
    said = Message(Role.ASSISTANT, reply.message.text[:_SHOWN] or "(nothing)")
    answer = f"That reply cannot be used: {_faults(error)}. Answer again with one valid JSON object and nothing else."
    return replace(request, messages=(*request.messages, said, Message(Role.USER, answer)))


def _faults(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[:_MOST_FAULTS]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'reply'}: {fault['msg']}" for fault in found)
