"""Rounding as the behaviour contract wants it: half up, on exact fractions (Python's ``round`` is half even)."""

from fractions import Fraction
from math import floor

_HALF = Fraction(1, 2)


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return floor(value + _HALF)


def clamp[T: (int, Fraction)](value: T, low: T, high: T) -> T:
    """``value``, moved into ``low``..``high``."""
    return max(low, min(value, high))
