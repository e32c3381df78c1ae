"""Which flow a request takes, decided without a model (behaviour contract, sections 5 and 6)."""

import difflib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from discord_agent.domain.classification import Classification, FlowType, flow_for
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
