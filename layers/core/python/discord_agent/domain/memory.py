"""What runs taught, kept small: reflections per thread, insights per guild (behaviour contract, section 12.2)."""

import hashlib
import re
from collections.abc import Sequence
from copy import replace
from datetime import datetime
from typing import Final, NewType

from msgspec import Struct

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.evaluation import Trajectory
from discord_agent.domain.ids import ExecutionId, GuildId, ThreadId, UserId
from discord_agent.domain.run import RunState
from discord_agent.domain.session import LastRun

MOST_REFLECTIONS: Final = 5
MOST_INSIGHTS: Final = 20
INSIGHT_LIMIT: Final = 300
"""Characters of an insight: one sentence."""

ALIKE: Final = 0.6
"""The share of words in common from which two insights say the same."""

Shelf = NewType("Shelf", str)
"""Where insights are kept: a guild's shelf, or that of one direct conversation."""

_NOTHING = frozenset({"", "-", "n/a", "na", "none", "nothing", "null"})
_WORD = re.compile(r"\w+")
_PLURAL = re.compile(r"(?<=[a-z]{3})s$")
_FILLERS = frozenset(
    {"a", "an", "and", "always", "are", "as", "at", "be", "by", "do", "for", "from", "in", "into", "is", "it", "its", "must",
     "of", "on", "or", "should", "that", "the", "then", "they", "this", "to", "was", "were", "when", "which", "with", "you",
     "your"}
)  # fmt: skip
_TURNS = frozenset({"after", "avoid", "before", "don", "dont", "never", "no", "not", "only", "unless", "without"})
"""Words that turn a sentence around: two that differ in them never say the same."""


class Reflection(Struct, frozen=True):
    """What a run taught; ``evidence`` says what it rests on, "" when it was a clean run."""

    id: str
    at: datetime
    execution_id: ExecutionId
    score: int
    what_worked: str = ""
    what_failed: str = ""
    root_cause: str = ""
    strategy_change: str = ""
    key_insight: str = ""
    evidence: str = ""
    edited_by: UserId | None = None


class Insight(Struct, frozen=True):
    """One sentence that helps with other tasks, and where it comes from.

    The run that taught it last worked in the thread ``learned_in``; ``author_id`` asked for that run, or objected to
    its result. ``times`` counts the runs that taught it. ``repository`` is a git URL, "" for none.
    """

    id: str
    text: str
    at: datetime
    learned_in: ThreadId
    execution_id: ExecutionId
    author_id: UserId
    repository: str = ""
    evidence: str = ""
    times: int = 1
    edited_by: UserId | None = None


def shelf(guild: GuildId | None, thread: ThreadId) -> Shelf:
    """Where the insights of a run are kept; what is said in a direct conversation stays there."""
    return Shelf(f"guild#{guild}" if guild else str(thread))


def name_of(execution: ExecutionId, text: str) -> str:
    """A name for what a run taught, the same for the same run and text."""
    return hashlib.sha256(f"{execution}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


def newest_reflections(reflections: Sequence[Reflection]) -> tuple[Reflection, ...]:
    """The newest five, newest first."""
    return tuple(sorted(reflections, key=lambda item: (item.at, item.id), reverse=True)[:MOST_REFLECTIONS])


def newest_insights(insights: Sequence[Insight]) -> tuple[Insight, ...]:
    """The newest twenty, newest first."""
    return tuple(sorted(insights, key=lambda item: (item.at, item.id), reverse=True)[:MOST_INSIGHTS])


def merged(known: Sequence[Insight], new: Insight) -> Insight:
    """``new`` as it is kept: on its own, or counted towards the known one that says the same.

    That one keeps its words, because people may have chosen them. A run that taught it already changes nothing.
    """
    same = most_alike(known, new.text)
    if same is None:
        return new
    if same.execution_id == new.execution_id:
        return same
    return replace(new, id=same.id, text=same.text, times=same.times + 1, edited_by=same.edited_by)


def most_alike(insights: Sequence[Insight], text: str) -> Insight | None:
    """The insight that says what ``text`` says, if there is one."""
    likeness = {insight.id: alikeness(insight.text, text) for insight in insights}
    best = max(insights, key=lambda insight: likeness[insight.id], default=None)
    return best if best is not None and likeness[best.id] >= ALIKE else None


def alikeness(one: str, other: str) -> float:
    """The share of words that two texts have in common, 0 to 1, whatever their order, case and plural."""
    ours, theirs = _words(one), _words(other)
    every = ours | theirs
    is_turned_around = ours & _TURNS != theirs & _TURNS
    return 0.0 if is_turned_around or not every else len(ours & theirs) / len(every)


def ranked(insights: Sequence[Insight], *, repository: str, thread: ThreadId) -> tuple[Insight, ...]:
    """The insights as they matter to a run: first those of its thread, then of its repository, then the often seen."""

    def rank(insight: Insight) -> tuple[bool, bool, int, datetime]:
        of_repository = bool(repository) and insight.repository == repository
        return insight.learned_in == thread, of_repository, insight.times, insight.at

    return tuple(sorted(insights, key=rank, reverse=True)[:MOST_INSIGHTS])


def sentence(text: str) -> str:
    """An insight as it is kept: one line of bounded length; InvalidInput if it says nothing."""
    plain = " ".join(text.split())
    if says_nothing(plain):
        raise InvalidInput("an insight has to say something")
    return plain if len(plain) <= INSIGHT_LIMIT else f"{plain[: INSIGHT_LIMIT - 1]}…"


def clean_run(run: RunState, at: datetime) -> Reflection:
    """What a run that met no failure teaches, written without a model: only what is certain."""
    tested = f"tests passed: {run.signals.tests_passed} of {run.signals.tests_run}" if run.signals.tests_run else ""
    facts = (str(Trajectory.of(run)), tested)
    return Reflection(
        name_of(run.execution_id, "run"),
        at,
        run.execution_id,
        run.score or 0,
        what_worked="; ".join(fact for fact in facts if fact),
    )


def as_prompt(reflections: Sequence[Reflection], last_run: LastRun | None, insights: Sequence[Insight] = ()) -> str:
    """The memory as models read it; what does not exist yet is "none"."""
    return "\n\n".join(
        (
            "Last run in this thread:\n" + _last_run(last_run),
            "Reflections, newest first:\n" + _numbered([_reflection(item, insights) for item in reflections]),
            "Insights, most relevant first:\n" + _numbered([insight.text for insight in insights]),
        )
    )


def says_nothing(text: str) -> bool:
    """Whether a model filled a field only because it had to."""
    return text.strip().rstrip(".").lower() in _NOTHING


def _words(text: str) -> frozenset[str]:
    return frozenset(_PLURAL.sub("", word) for word in _WORD.findall(text.lower()) if word not in _FILLERS)


def _last_run(last_run: LastRun | None) -> str:
    if last_run is None:
        return "none"
    lines = (
        ("Trajectory", last_run.trajectory),
        ("Score", str(last_run.score)),
        ("Because", last_run.reasoning),
        ("Task completion", str(last_run.task_completion)),
        ("Code quality", str(last_run.code_quality)),
        ("Efficiency", f"{last_run.efficiency:g}"),
        ("Issues", " ".join(last_run.issues)),
        ("Suggestions", " ".join(last_run.suggestions)),
    )
    return "\n".join(f"{label}: {value or 'none'}" for label, value in lines)


def _reflection(reflection: Reflection, insights: Sequence[Insight]) -> str:
    # An insight that people forgot must not come back by way of the reflection that it was taken from.
    is_kept = most_alike(insights, reflection.key_insight) is not None
    fields = (
        ("Evidence", reflection.evidence),
        ("What worked", reflection.what_worked),
        ("What failed", reflection.what_failed),
        ("Root cause", reflection.root_cause),
        ("Strategy change", reflection.strategy_change),
        ("Key insight", reflection.key_insight if is_kept else ""),
    )
    said = "".join(f"\n   {label}: {value}" for label, value in fields if not says_nothing(value))
    return f"{reflection.at.isoformat()} (score {reflection.score}){said}"


def _numbered(items: Sequence[str]) -> str:
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1)) or "none"
