"""What kind of task a request is, by its words alone."""

import re
from typing import Final

from msgspec import Struct

from discord_agent.domain.classification import AgentRole, Classification, Complexity, TaskType
from discord_agent.domain.interrupts import without_mention


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
