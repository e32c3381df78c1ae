"""A model script: what the scripted model says, in order per purpose (docs/SCRIPTS.md)."""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidSettings

DEFAULT_INTRODUCTION: Final = (
    "I am the scripted demo model: I play lines from a script file and understand nothing. "
    "Start the stack with LITELLM_BASE_URL and LITELLM_API_KEY to talk to a real model."
)
_SIZE_LIMIT: Final = 5_000_000
_REMEDY: Final = "docs/SCRIPTS.md shows the format."


def _pattern(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return re.compile(value, re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error


type Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]


class FaultKind(StrEnum):
    """How a call goes wrong."""

    HTTP = "http"
    HANG = "hang"
    DROP = "drop"
    STALL = "stall"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    CONTEXT = "context"


_HALFWAY: Final = frozenset({FaultKind.STALL, FaultKind.TRUNCATED})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Fault(_Part):
    """Something that goes wrong before an answer, or instead of one; exactly one kind.

    With ``model`` it only happens to calls of the models whose names match.
    """

    http: Annotated[int, Field(ge=400, le=599)] | None = None
    retry_after: Annotated[float, Field(ge=0)] | None = None
    hang: Literal[True] | None = None
    drop: Literal[True] | None = None
    stall: Annotated[float, Field(gt=0, le=3600)] | None = None
    garbage: Literal[True] | None = None
    truncated: Literal[True] | None = None
    context: Literal[True] | None = None
    model: Pattern | None = None
    times: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [kind for kind in FaultKind if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"give exactly one of {', '.join(FaultKind)}")
        if self.retry_after is not None and self.http is None:
            raise ValueError("retry_after goes with http")
        return self

    @property
    def kind(self) -> FaultKind:
        """Which kind it is."""
        return next(kind for kind in FaultKind if getattr(self, kind) is not None)


class Function(_Part):
    """What a tool call calls; ``arguments`` may be an object, or the JSON text itself (valid or not)."""

    name: Annotated[str, Field(min_length=1)]
    arguments: dict[str, Any] | str = "{}"


class Call(_Part):
    """A tool call in OpenAI's format; without an id it gets one."""

    function: Function
    id: str | None = None
    type: Literal["function"] = "function"


class ScriptedUsage(_Part):
    """Tokens to report instead of the counted ones."""

    prompt_tokens: Annotated[int, Field(ge=0)]
    completion_tokens: Annotated[int, Field(ge=0)]
    cached_tokens: Annotated[int, Field(ge=0)] = 0
    cache_write_tokens: Annotated[int, Field(ge=0)] = 0


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, Mapping) else value


class Entry(_Part):
    """An assistant message, when it is said, and what goes wrong before it."""

    role: Literal["assistant"] = "assistant"
    content: str | dict[str, Any] | None = None
    tool_calls: tuple[Call, ...] = ()
    reasoning_content: str | None = None
    thinking_blocks: tuple[dict[str, Any], ...] = ()
    when: Pattern | None = None
    model: Pattern | None = None
    match_last: Pattern | None = None
    fault: Annotated[tuple[Fault, ...], BeforeValidator(_one_or_more)] = ()
    usage: ScriptedUsage | None = None
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, value: object) -> object:
        """Recorded messages carry fields such as ``refusal: null``."""
        if isinstance(value, Mapping):
            return {key: item for key, item in value.items() if item is not None and item != []}
        return value

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.says_something and not self.fault:
            raise ValueError("give content, tool_calls or a fault")
        if not self.says_something and any(fault.kind in _HALFWAY for fault in self.fault):
            raise ValueError("a stall needs an answer to pause in, a truncation one to cut: give content or tool_calls")
        return self

    @property
    def says_something(self) -> bool:
        """Whether there is an answer, or only a fault."""
        return self.content is not None or bool(self.tool_calls)

    @property
    def text(self) -> str | None:
        """The content as text; an object is its JSON."""
        return json.dumps(self.content, ensure_ascii=False) if isinstance(self.content, dict) else self.content


class Script(_Part):
    """What the scripted model says, by purpose."""

    introduction: Annotated[str, Field(min_length=1)] = DEFAULT_INTRODUCTION
    decide: tuple[Entry, ...] = ()
    plan: tuple[Entry, ...] = ()
    turn: tuple[Entry, ...] = ()
    reflect: tuple[Entry, ...] = ()
    respond: tuple[Entry, ...] = ()
    title: tuple[Entry, ...] = ()
    compact: tuple[Entry, ...] = ()
    summarize: tuple[Entry, ...] = ()
    brainstorm: tuple[Entry, ...] = ()
    consolidate: tuple[Entry, ...] = ()
    breakglass: tuple[Entry, ...] = ()

    def entries(self, purpose: Purpose) -> tuple[Entry, ...]:
        """The entries of a purpose, in the order of the file."""
        found: tuple[Entry, ...] = getattr(self, purpose)
        return found


def parse_script(data: object, name: str) -> Script:
    """Check a script's data; InvalidSettings names the file, the entry and the remedy."""
    if not isinstance(data, Mapping):
        raise InvalidSettings(f"model script {name}: the top level must map purposes to lists of messages. {_REMEDY}")
    try:
        return Script.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(_describe(fault["loc"], fault["msg"]) for fault in error.errors()[:5])
        raise InvalidSettings(f"model script {name}: {faults}. {_REMEDY}") from error


def load_script(path: Path) -> Script:
    """Read a YAML or JSON script; InvalidSettings names the file, the entry and the remedy."""
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise InvalidSettings(f"model script {path}: larger than {_SIZE_LIMIT // 1_000_000} MB. {_REMEDY}")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"model script {path}: cannot be read ({error}). {_REMEDY}") from error
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        kind = "JSON" if path.suffix == ".json" else "YAML"
        raise InvalidSettings(f"model script {path}: not {kind}: {' '.join(str(error).split())}. {_REMEDY}") from error
    return parse_script(data, str(path))


def _describe(location: tuple[int | str, ...], message: str) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return f"{place or 'top level'}: {message.removeprefix('Value error, ')}"
