"""How likely a run is to succeed, computed from what happened (behaviour contract, section 10)."""

from fractions import Fraction
from typing import Final

from discord_agent.domain.rounding import clamp, half_up
from discord_agent.domain.run import Signals

LOW_SCORE: Final = 30
"""A score below this, on consecutive turns, means stuck."""

_SELF_REPORT_WEIGHT = Fraction(40)
_TOOLS_WEIGHT = Fraction(20)
_ERRORS_WEIGHT = Fraction(20)
_TESTS_WEIGHT = Fraction(10)
_PROGRESS_WEIGHT = Fraction(10)
_CORRECTION_PENALTY = Fraction(15)
_MAX_PENALTY = Fraction(30)
_UNTESTED = Fraction(1, 2)
_PATIENCE = 5


def score(reported: int, signals: Signals, *, turn: int) -> int:
    """The confidence after ``turn`` turns, 0 to 100; ``reported`` is what the model says of itself, 0 to 100."""
    self_report = Fraction(clamp(reported, 0, 100), 100)
    repeated_errors = min(Fraction(2 * signals.same_errors, max(turn, 1)), Fraction(1))
    progress = max(Fraction(0), 1 - Fraction(signals.no_progress_turns, _PATIENCE))
    penalty = min(_CORRECTION_PENALTY * signals.corrections, _MAX_PENALTY)
    total = (
        _SELF_REPORT_WEIGHT * self_report
        + _TOOLS_WEIGHT * _share(signals.tool_successes, signals.tool_calls, when_none=Fraction(1))
        + _ERRORS_WEIGHT * (1 - repeated_errors)
        + _TESTS_WEIGHT * _share(signals.tests_passed, signals.tests_run, when_none=_UNTESTED)
        + _PROGRESS_WEIGHT * progress
        - penalty
    )
    return clamp(half_up(total), 0, 100)


def _share(part: int, whole: int, *, when_none: Fraction) -> Fraction:
    return Fraction(part, whole) if whole else when_none
