"""What models answer in JSON, as pydantic models: wrong enum values fall back, numbers are clamped, extras ignored.

Reasons for such changes are appended to the validation context if that is a list.

Fields and defaults are those of the behaviour contract, sections 5, 8 and 12.2. Class docstrings reach the model
as descriptions in the schema.
"""

import math
import re
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from discord_agent.domain import memory
from discord_agent.domain.classification import AgentRole, Classification, Complexity, TaskType, max_turns
from discord_agent.domain.options import MOST_OPTIONS, MOST_POINTS, Option, described
from discord_agent.domain.run import DEFAULT_TOPIC

TITLE_LIMIT: Final = 100
_TOPIC_LIMIT: Final = 60
_CODE: Final = re.compile(r"(?P<fence>```+|~~~+).*?(?:(?P=fence)|\Z)", re.DOTALL)
_BULLET: Final = re.compile(r"^\s*(?:[-*•+]|\d+[.)])\s+")
_MOST_TURNS: Final = max_turns(Complexity.COMPLEX, 0)


def _known[T: StrEnum](kind: type[T], value: object) -> T | None:
    text = value.strip().lower().replace("_", "-").replace(" ", "-") if isinstance(value, str) else ""
    return kind(text) if text in set(kind) else None


def _one_of[T: StrEnum](kind: type[T], default: T | None) -> BeforeValidator:
    def read(value: object, info: ValidationInfo) -> T | None:
        known = _known(kind, value)
        is_given = value not in (None, "")
        if is_given and known is None:
            _note(info, f"{value!r:.60} is unknown, {default or 'none'} is taken")
        return known or default

    return BeforeValidator(read)


def _whole(default: int, low: int, high: int) -> BeforeValidator:
    def read(value: object, info: ValidationInfo) -> int:
        try:
            number = float(value) if isinstance(value, (int, float, str)) else math.nan
            clamped = round(min(max(number, low), high))
        except ValueError:
            clamped, number = default, math.nan
        if not low <= number <= high:
            _note(info, f"{value!r:.60} is not between {low} and {high}, {clamped} is taken")
        return clamped

    return BeforeValidator(read)


def _note(info: ValidationInfo, reason: str) -> None:
    """Tell whoever asked why a value was not taken as it came."""
    if isinstance(info.context, list):
        info.context.append(f"{info.field_name}: {reason}")


def _slug(value: object) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-") if isinstance(value, str) else ""
    return words[:_TOPIC_LIMIT].strip("-") or DEFAULT_TOPIC


def _text(value: object) -> object:
    """A missing text is empty, a list becomes lines; what else is not text is refused by pydantic."""
    if value is None:
        return ""
    return "\n".join(f"- {item}" for item in value) if isinstance(value, list) else value


def _finding(value: object) -> object:
    text = _text(value)
    return "" if isinstance(text, str) and memory.says_nothing(text) else text


def _title(value: object) -> object:
    return " ".join(value.split()).strip(" \"'`*#.")[:TITLE_LIMIT].rstrip() if isinstance(value, str) else value


def _without_code(value: object) -> object:
    """Options are weighed in words: blocks of code are left out."""
    text = _text(value)
    return _CODE.sub("", text).strip() if isinstance(text, str) else text


def _points(value: object) -> object:
    """Points as a list, whatever form they came in; what is too many is left out."""
    found = value.splitlines() if isinstance(value, str) else value
    texts = [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
    said = (_BULLET.sub("", str(_without_code(item))).strip() for item in texts)
    return [point for point in said if point][:MOST_POINTS]


def _few(value: object) -> object:
    return value[:MOST_OPTIONS] if isinstance(value, list) else value


Text = Annotated[str, BeforeValidator(_text)]
Finding = Annotated[str, BeforeValidator(_finding)]
Prose = Annotated[str, BeforeValidator(_without_code)]
Points = Annotated[tuple[str, ...], BeforeValidator(_points)]


class Reply(BaseModel):
    """Base of all."""

    model_config = ConfigDict(
        defer_build=True,
        frozen=True,
        extra="ignore",
        str_strip_whitespace=True,
        json_schema_serialization_defaults_required=True,
    )


class DecideReply(Reply):
    """Whether to answer, and what kind of task it is."""

    should_respond: bool
    reason: Text = ""
    is_technical: bool = False
    task_type: Annotated[TaskType | None, _one_of(TaskType, None)] = None
    agent_role: Annotated[AgentRole, _one_of(AgentRole, AgentRole.PYTHON_CODER)] = AgentRole.PYTHON_CODER
    complexity: Annotated[Complexity, _one_of(Complexity, Complexity.MEDIUM)] = Complexity.MEDIUM
    wants_options: Annotated[bool, BeforeValidator(lambda value: value is True)] = False

    def classification(self, *, forced: bool = False) -> Classification:
        """The decision as a domain value; ``forced`` overrides only whether to respond."""
        untyped = TaskType.CODING if self.is_technical else TaskType.GENERAL
        return Classification(
            should_respond=self.should_respond or forced,
            reason=self.reason,
            is_technical=self.is_technical,
            task_type=self.task_type or untyped,
            role=self.agent_role,
            complexity=self.complexity,
            wants_options=self.wants_options,
        )


class ConfidenceAssessment(Reply):
    """How the planner judges the chances; ``score`` is 0 to 100."""

    has_progress: bool = True
    score: Annotated[int, _whole(50, 0, 100)] = 50
    reasoning: Text = "The planner gave no assessment."


class ReflectReply(Reply):
    """What one attempt taught; a field with nothing to say is empty."""

    what_worked: Finding = ""
    what_failed: Finding = ""
    root_cause: Finding = ""
    strategy_change: Finding = ""
    key_insight: Finding = ""

    @property
    def says_something(self) -> bool:
        """Whether any field is worth keeping."""
        return any(
            (self.what_worked, self.what_failed, self.root_cause, self.strategy_change, self.key_insight),
        )


def _optional_reflection(value: object) -> object:
    return value if isinstance(value, (dict, ReflectReply)) else None


def _or_default(value: object) -> object:
    return value if isinstance(value, (dict, ConfidenceAssessment)) else {}


class PlanReply(Reply):
    """A plan; an empty ``reformulated_prompt`` stands for the person's own message."""

    reformulated_prompt: Text = ""
    topic_slug: Annotated[str, BeforeValidator(_slug)] = DEFAULT_TOPIC
    is_new_topic: Annotated[bool, BeforeValidator(lambda value: value is not False)] = True
    plan_content: Text = "# Plan\n\nThe planner wrote no plan. Explore first, then work in small, checked steps."
    instruction_content: Text = "# Instructions\n\nThe planner wrote no instructions. Keep to what was asked."
    task_type: Annotated[TaskType, _one_of(TaskType, TaskType.CODING)] = TaskType.CODING
    agent_role: Annotated[AgentRole, _one_of(AgentRole, AgentRole.PYTHON_CODER)] = AgentRole.PYTHON_CODER
    complexity: Annotated[Complexity, _one_of(Complexity, Complexity.MEDIUM)] = Complexity.MEDIUM
    estimated_turns: Annotated[int, _whole(15, 0, _MOST_TURNS)] = 15
    confidence_assessment: Annotated[ConfidenceAssessment, BeforeValidator(_or_default)] = ConfidenceAssessment()
    reflection: Annotated[ReflectReply | None, BeforeValidator(_optional_reflection)] = None


class FrameReply(Reply):
    """The question that options are sought for; empty: the person's own words."""

    reformulated_prompt: Text = ""
    topic_slug: Annotated[str, BeforeValidator(_slug)] = DEFAULT_TOPIC


class Approach(Reply):
    """One way to do it, in words, without code."""

    title: Annotated[str, BeforeValidator(_title), Field(min_length=1, max_length=TITLE_LIMIT)]
    overview: Annotated[str, BeforeValidator(_without_code), Field(min_length=1)]
    rationale: Prose = ""
    architecture: Prose = ""
    pros: Points = ()
    cons: Points = ()
    best_for: Prose = ""

    def option(self) -> Option:
        """The approach as people see it."""
        parts = self.model_dump()
        return described(**parts)


class BrainstormReply(Reply):
    """Distinct approaches to one question."""

    approaches: Annotated[tuple[Approach, ...], BeforeValidator(_few), Field(min_length=1)]


class ConsolidateReply(Reply):
    """The two or three options that are left when similar ones are merged, and when to take which."""

    options: Annotated[tuple[Approach, ...], BeforeValidator(_few), Field(min_length=2)]
    recommendation: Prose = ""
    question: Prose = ""


class TitleReply(Reply):
    """A label for a thread, at most 100 characters."""

    title: Annotated[str, BeforeValidator(_title), Field(min_length=1, max_length=TITLE_LIMIT)]


def schema_of(reply: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema to ask a model for; every field is required of it, though replies may lack those with defaults."""
    return reply.model_json_schema(mode="serialization")
