import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.feedback import APPROVE, DISAPPROVE, Level, Trend, after_vote, level, trend


@pytest.mark.parametrize(
    ("before", "vote", "after"),
    [(80, APPROVE, 95), (95, APPROVE, 100), (25, DISAPPROVE, 10), (None, DISAPPROVE, 30), (95, DISAPPROVE, 75)],
)
def test_a_vote_moves_the_confidence_of_the_thread(before: int | None, vote: int, after: int) -> None:
    assert after_vote(before, vote) == after


@given(st.integers(10, 100), st.lists(st.sampled_from([APPROVE, DISAPPROVE])))
def test_no_series_of_votes_leaves_10_to_100(confidence: int, votes: list[int]) -> None:
    for vote in votes:
        confidence = after_vote(confidence, vote)
    assert 10 <= confidence <= 100


@pytest.mark.parametrize(
    ("confidence", "name"),
    [(0, "Critical"), (29, "Critical"), (30, "Low"), (49, "Low"), (50, "Moderate"), (69, "Moderate"), (70, "High")],
)
def test_levels_begin_at_30_50_and_70(confidence: int, name: str) -> None:
    assert level(confidence) == Level(name)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], Trend.STABLE),
        ([50], Trend.STABLE),
        ([50, 60], Trend.STABLE),
        ([50, 20, 61], Trend.IMPROVING),
        ([61, 90, 50], Trend.DECLINING),
        ([0, *[90] * 9, 91], Trend.STABLE),
    ],
)
def test_the_trend_compares_the_first_and_last_of_ten_scores(scores: list[int], expected: Trend) -> None:
    assert trend(scores) is expected
