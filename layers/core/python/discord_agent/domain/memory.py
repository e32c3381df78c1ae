"""What runs taught, kept small: reflections per thread, insights per guild (behaviour contract, section 12.2)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from discord_agent.domain.evaluation import Trajectory
from discord_agent.domain.run import RunState
from discord_agent.domain.session import LastRun, Reflection

MOST_REFLECTIONS: Final = 5
MOST_INSIGHTS: Final = 20
_SAME_PREFIX = 20
_NOTHING = frozenset({"", "-", "n/a", "na", "none", "nothing", "null"})


def remember(reflections: Sequence[Reflection], new: Reflection) -> tuple[Reflection, ...]:
    """The reflections with ``new`` in front, the newest five; the same reflection again changes nothing."""
    others = [reflection for reflection in reflections if reflection != new]
    return (new, *others)[:MOST_REFLECTIONS]


def learn(insights: Sequence[str], new: str) -> tuple[str, ...]:
    """The insights with ``new`` in front, the newest twenty; one that says nothing or is known already is left out."""
    insight = " ".join(new.split())
    beginning = insight[:_SAME_PREFIX].lower()
    known = any(beginning in existing.lower() for existing in insights)
    if says_nothing(insight) or known:
        return tuple(insights)
    return (insight, *insights)[:MOST_INSIGHTS]


def clean_run(run: RunState, at: datetime) -> Reflection:
    """What a run that met no failure teaches, written without a model: only what is certain."""
    tested = f"tests passed: {run.signals.tests_passed} of {run.signals.tests_run}" if run.signals.tests_run else ""
    facts = (str(Trajectory.of(run)), tested)
    return Reflection(
        at=at,
        score=run.score or 0,
        what_worked="; ".join(fact for fact in facts if fact),
        what_failed="",
        root_cause="",
        strategy_change="",
        key_insight="",
    )


def as_prompt(reflections: Sequence[Reflection], last_run: LastRun | None, insights: Sequence[str] = ()) -> str:
    """The memory as models read it; what does not exist yet is "none"."""
    return "\n\n".join(
        (
            "Last run in this thread:\n" + _last_run(last_run),
            "Reflections, newest first:\n" + _numbered([_reflection(item) for item in reflections]),
            "Insights, newest first:\n" + _numbered(insights),
        )
    )


def says_nothing(text: str) -> bool:
    """Whether a model filled a field only because it had to."""
    return text.strip().rstrip(".").lower() in _NOTHING


def _last_run(last_run: LastRun | None) -> str:
    if last_run is None:
        return "none"
    lines = (
        ("Trajectory", last_run.trajectory),
        ("Score", str(last_run.score)),
        ("Task completion", str(last_run.task_completion)),
        ("Code quality", str(last_run.code_quality)),
        ("Efficiency", f"{last_run.efficiency:g}"),
        ("Issues", " ".join(last_run.issues)),
        ("Suggestions", " ".join(last_run.suggestions)),
    )
    return "\n".join(f"{label}: {value or 'none'}" for label, value in lines)


def _reflection(reflection: Reflection) -> str:
    fields = (
        ("What worked", reflection.what_worked),
        ("What failed", reflection.what_failed),
        ("Root cause", reflection.root_cause),
        ("Strategy change", reflection.strategy_change),
        ("Key insight", reflection.key_insight),
    )
    said = "".join(f"\n   {label}: {value}" for label, value in fields if not says_nothing(value))
    return f"{reflection.at.isoformat()} (score {reflection.score}){said}"


def _numbered(items: Sequence[str]) -> str:
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1)) or "none"
