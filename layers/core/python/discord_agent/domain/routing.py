"""Which flow a request takes, decided without a model (behaviour contract, sections 5 and 6)."""

import difflib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

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

THINKING_HARD: Final = ("think deeply", "thoroughly")
"""What makes the strongest models weigh options."""

_NAME = re.compile(r"@([A-Za-z][\w.-]*)(?=[\s,:;!?]|$)")
_NEARLY: Final = 0.75
_FALLBACK_TITLE = 50
_FILE_NAME = 100


class Breakglass(Struct, frozen=True):
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


def unknown_alias(text: str, aliases: Iterable[str], *, is_one: bool = False) -> str:
    """The name after the ``@`` that a message begins with, if it is nearly an alias; "" otherwise.

    ``is_one`` when it can be nothing else. Names such as ``@property`` or ``@types/node`` are no attempts at one.
    """
    named = _NAME.match(text)
    name = named[1].lower() if named else ""
    known = set(aliases)
    is_attempt = is_one or bool(difflib.get_close_matches(name, known, n=1, cutoff=_NEARLY))
    return name if name and name not in known and is_attempt else ""


class Route(Struct, frozen=True):
    """Which flow a request takes; ``why`` is a clause for people."""

    flow: FlowType
    why: str


def route(text: str, decision: Classification, *, override: FlowType | None = None, alias: str = "") -> Route:
    """The flow of a request: breakglass, else what the person chose, else a wish for options, else by the task.

    ``alias`` is the name by which a model was addressed.
    """
    phrase = branch_phrase(text)
    ways = (
        (bool(alias), FlowType.BREAKGLASS, f"the message begins with @{alias}"),
        (override is not None, override, "it was chosen with /flow"),
        (bool(phrase), FlowType.BRANCH, f"“{phrase}” asks for options"),
        (decision.wants_options, FlowType.BRANCH, "the request asks for options"),
    )
    chosen = next((Route(flow, why) for applies, flow, why in ways if applies and flow is not None), None)
    if chosen is not None:
        return chosen
    flow = flow_for(decision.task_type)
    needs = "needs an agent with tools" if flow is FlowType.SEQUENTIAL else "is answered at once"
    return Route(flow, f"{decision.task_type} {needs}")


def branch_phrase(text: str) -> str:
    """The words by which a person asks for alternatives, "" if there are none."""
    lowered = text.lower()
    return next((phrase for phrase in BRANCH_PHRASES if phrase in lowered), "")


def options_tier(text: str) -> str:
    """The tier of models that weigh options for a request."""
    lowered = text.lower()
    return "tier4" if any(phrase in lowered for phrase in THINKING_HARD) else "tier3"


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


class _Rule(Struct, frozen=True):
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
    _Rule(TaskType.PROOFREADER, _starting(r"proof-?read|correct (?:the |my |this )*(?:spelling|grammar|text|sentence)"), technical=False),
    _Rule(TaskType.SHELL, _starting(r"(?:what(?: is|'s)|which is|give me|tell me|show me) (?:the |a )?(?:shell |bash |linux |git |terminal )?command\b")),
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
