"""Bounds on what a planner writes: whatever a model answers, a run gets a plan of a usable size."""

import re
from collections.abc import Sequence
from typing import Final

MOST_STEPS: Final = 60
"""More steps than a run of 35 turns can take are no plan."""
PLAN_LIMIT: Final = 20_000
TASK_LIMIT: Final = 8_000
"""Characters of a plan or of instructions, and of the task itself."""
MOST_TOPICS: Final = 20

_STEP: Final = re.compile(r"^\s{0,3}(?:#{1,6}\s*)?(?:\d+[.)]|step\s+\d+)\s", re.IGNORECASE | re.MULTILINE)


def bounded(name: str, text: str, limit: int) -> tuple[str, tuple[str, ...]]:
    """A text of the plan within ``limit`` characters and the most steps, and the reasons if something was cut."""
    steps = list(_STEP.finditer(text))
    has_too_many = len(steps) > MOST_STEPS
    kept = text[: steps[MOST_STEPS].start()].rstrip() if has_too_many else text
    is_too_long = len(kept) > limit
    if is_too_long:
        kept = kept[:limit].rpartition("\n")[0] or kept[:limit]
    rules = (
        (has_too_many, f"{name}: {len(steps)} steps, the first {MOST_STEPS} are kept"),
        (is_too_long, f"{name}: {len(text)} characters, the first {len(kept)} are kept"),
    )
    return kept, tuple(reason for holds, reason in rules if holds)


def topic(slug: str, *, is_new: bool, before: str) -> str:
    """The topic of a run: the one before goes on when the planner says so, however it spells it."""
    return slug if is_new or not before else before


def topics(known: Sequence[str], newest: str) -> tuple[str, ...]:
    """The topics of a thread with the newest in front, each once."""
    return (newest, *(other for other in known if other != newest))[:MOST_TOPICS]
