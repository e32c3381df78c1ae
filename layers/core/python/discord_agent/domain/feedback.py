"""What people's votes do to a thread's confidence, and how it is described (behaviour contract, sections 2, 10 and 16)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from discord_agent.domain.rounding import clamp

APPROVE: Final = 15
DISAPPROVE: Final = -20
LOWEST: Final = 10
HIGHEST: Final = 100
TREND_TURNS: Final = 10
"""A trend is told from so many of the newest scores."""
_BASE_WHEN_MISSING = 50
_TREND_STEP = 10


class Level(StrEnum):
    """A confidence in words."""

    CRITICAL = "Critical"
    LOW = "Low"
    MODERATE = "Moderate"
    HIGH = "High"


class Trend(StrEnum):
    """Where the confidence of the last turns goes."""

    IMPROVING = "improving"
    DECLINING = "declining"
    STABLE = "stable"


def after_vote(confidence: int | None, change: int) -> int:
    """A thread's confidence after a vote's value was added or taken back; None when the thread has none yet."""
    base = _BASE_WHEN_MISSING if confidence is None else confidence
    return clamp(base + change, LOWEST, HIGHEST)


def level(confidence: int) -> Level:
    """The word for a confidence."""
    steps = ((30, Level.CRITICAL), (50, Level.LOW), (70, Level.MODERATE))
    return next((name for below, name in steps if confidence < below), Level.HIGH)


def trend(scores: Sequence[int]) -> Trend:
    """Where the last ten scores go, oldest first."""
    recent = scores[-TREND_TURNS:]
    change = recent[-1] - recent[0] if recent else 0
    if change > _TREND_STEP:
        return Trend.IMPROVING
    return Trend.DECLINING if change < -_TREND_STEP else Trend.STABLE
