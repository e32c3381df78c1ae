from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.rounding import clamp, half_up


@pytest.mark.parametrize(("value", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.49", 2), ("-0.5", 0), ("7", 7)])
def test_a_half_goes_up(value: str, rounded: int) -> None:
    assert half_up(Fraction(value)) == rounded


@given(st.fractions(min_value=-1000, max_value=1000))
def test_rounding_moves_a_value_by_at_most_a_half(value: Fraction) -> None:
    assert Fraction(-1, 2) <= value - half_up(value) < Fraction(1, 2)


@given(st.integers(), st.integers(), st.integers(min_value=0))
def test_a_clamped_value_lies_inside_and_is_kept_if_it_did(value: int, low: int, width: int) -> None:
    clamped = clamp(value, low, low + width)
    assert low <= clamped <= low + width
    assert clamped == value or not low <= value <= low + width
