"""Which flow a request takes, decided without a model (behaviour contract, sections 5 and 6)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from discord_agent.domain.classification import AgentRole, Classification, Complexity, FlowType, TaskType, flow_for
from discord_agent.domain.interrupts import without_mention

TITLE_INPUT: Final = 500
"""Characters of a request that a model sees to name its thread."""

BRANCH_PHRASES: Final = (
    "multiple solutions",
    "explore options",
    "what are my options",
    "different approaches",
    "different ways",
    "brainstorm",
    "think of alternatives",
    "alternative approaches",
    "architectural options",
    "compare approaches",
    "pros and cons",
    "tradeoffs",
    "trade-offs",
    "which approach",
    "explore architectures",
    "design options",
)

_FALLBACK_TITLE = 50
_FILE_NAME = 100


@dataclass(frozen=True, slots=True)
class Breakglass:
    """A request addressed to a model by its alias; ``message`` is the rest."""

    alias: str
    message: str


def breakglass(text: str, aliases: Iterable[str]) -> Breakglass | None:
    """The alias a message begins with, such as ``@opus``, as a whole word and in any case."""
    for alias in aliases:
        found = re.match(rf"@{re.escape(alias)}(?![\w-])\s*", text, re.IGNORECASE)
        if found:
            return Breakglass(alias, text[found.end() :].strip())
    return None


def choose_flow(
    text: str, task: TaskType, *, override: FlowType | None = None, is_breakglass: bool = False
) -> FlowType:
    """The flow of a request: breakglass, else what the person chose, else a branch phrase, else by the kind of task."""
    if is_breakglass:
        return FlowType.BREAKGLASS
    if override is not None:
        return override
    return FlowType.BRANCH if wants_options(text) else flow_for(task)


def wants_options(text: str) -> bool:
    """Whether a person asks for alternatives."""
    lowered = text.lower()
    return any(phrase in lowered for phrase in BRANCH_PHRASES)


def is_stale(sent: datetime, now: datetime, limit: timedelta) -> bool:
    """Whether a message waited longer than ``limit``; exactly as long is not stale."""
    return now - sent > limit


def fallback_title(request: str) -> str:
    """A thread's name when no model gave one."""
    words = " ".join(without_mention(request).split())
    return words[:_FALLBACK_TITLE].strip() or "New task"


def file_name(name: str) -> str:
    """An uploaded file's name, safe as a name inside the workspace: no folders, no leading dots, nothing odd."""
    base = re.split(r"[/\\]", name)[-1]
    stem, dot, suffix = re.sub(r"[^\w.-]+", "_", base).lstrip("._-").rpartition(".")
    room = _FILE_NAME - len(dot) - min(len(suffix), _FILE_NAME // 2)
    return f"{stem[:room]}{dot}{suffix[: _FILE_NAME // 2]}" or "file"


@dataclass(frozen=True, slots=True)
class _Rule:
    task: TaskType
    pattern: re.Pattern[str]
    role: AgentRole | None = None
    technical: bool = True


def _starting(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:please |can you |could you |would you )*(?:{words})\b")


def _containing(words: str) -> re.Pattern[str]:
    return re.compile(rf".*\b(?:{words})\b", re.DOTALL)


_RULES: Final = (
    _Rule(TaskType.TEST_RUNNER, _starting(r"run (?:the |all |my |our )*(?:\w+ )?tests?|pytest"), AgentRole.COMMAND_EXECUTOR),
    _Rule(TaskType.COMMAND_RUNNER, _starting("run|execute"), AgentRole.COMMAND_EXECUTOR),
    _Rule(TaskType.CODE_REVIEW, _starting("review|audit"), AgentRole.CODE_REVIEWER),
    _Rule(TaskType.DOCUMENTATION, _starting(r"document|(?:write|update) .{0,30}(?:docs|documentation|readme)"), AgentRole.DOCUMENTATION_WRITER),
    _Rule(TaskType.DEVOPS, _starting("deploy|provision|terraform|dockeri[sz]e"), AgentRole.DEVOPS_ENGINEER),
    _Rule(TaskType.DATABASE, _starting(r"(?:design|model|normali[sz]e) .{0,40}(?:schema|database|tables?)"), AgentRole.DBA),
    _Rule(TaskType.WRITING, _starting("write .{0,30}(?:e-?mail|poem|story|letter|announcement|blog post|speech)"), technical=False),
    _Rule(TaskType.CODING, _starting(
        "add|build|change|code|convert|create|debug|extend|extract|fix|implement|make|migrate|move|optimi[sz]e|patch|port|"
        "refactor|remove|rename|replace|rewrite|simplify|speed up|split|test|update|upgrade|write"
    )),
    _Rule(TaskType.EXPLANATION, _starting("explain|what(?: is|'s| are| does)|describe|tell me about"), technical=False),
    _Rule(TaskType.SOCIAL, _starting("hi|hello|hey|thanks|thank you|good (?:morning|evening|night)"), technical=False),
    _Rule(TaskType.ARCHITECTURE, _containing("architecture|design decision")),
    _Rule(TaskType.TECHNICAL_QA, re.compile(
        r"(?=.*(?:\?|^(?:how|why|when|which|should|does|is|are|can)\b)).*"
        r"(?:`|\b(?:api|bug|code|css|database|docker|error|function|git|javascript|python|query|server|sql|test|typescript)\b)",
        re.DOTALL,
    )),
)  # fmt: skip
_JS = re.compile(r"\b(?:javascript|typescript|node(?:\.js)?|react|vue|svelte|npm|[jt]sx?)\b")


def classify_by_rules(text: str, *, forced: bool) -> Classification:
    """Stands in for the decision model when that gives no usable answer: the first rule that fits.

    Only a forced request is answered: without a model it is better to be silent than to interrupt people.
    """
    said = without_mention(text).lower()
    rule = next((rule for rule in _RULES if rule.pattern.match(said)), None)
    task = rule.task if rule else TaskType.GENERAL
    coder = AgentRole.JS_TS_CODER if _JS.search(said) else AgentRole.PYTHON_CODER
    return Classification(
        should_respond=forced,
        reason=f"the decision model gave no usable answer; by rules this is {task}",
        is_technical=rule.technical if rule else False,
        task_type=task,
        role=(rule.role if rule else None) or coder,
        complexity=Complexity.MEDIUM,
    )
