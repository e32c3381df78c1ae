import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.confidence import score
from discord_agent.domain.run import Signals


@pytest.mark.parametrize(
    ("reported", "calls", "successes", "same_errors", "turn", "tests", "no_progress", "corrections", "expected"),
    [
        (70, 0, 0, 0, 1, None, 0, 0, 83),
        (70, 2, 0, 0, 1, None, 0, 0, 63),
        (70, 2, 2, 0, 1, None, 0, 0, 83),
        (70, 4, 3, 0, 3, None, 1, 0, 76),
        (90, 3, 3, 0, 2, (5, 5), 0, 0, 96),
        (70, 0, 0, 1, 2, None, 0, 0, 63),
        (70, 0, 0, 1, 10, None, 3, 0, 73),
        (40, 2, 0, 3, 5, (5, 0), 5, 0, 16),
        (40, 2, 0, 3, 5, None, 5, 1, 6),
        (0, 1, 0, 5, 5, None, 5, 2, 0),
        (100, 0, 0, 0, 1, (5, 5), 0, 0, 100),
        (70, 8, 3, 0, 1, None, 0, 0, 71),
    ],
)
def test_the_score_follows_the_published_formula(
    reported: int,
    calls: int,
    successes: int,
    same_errors: int,
    turn: int,
    tests: tuple[int, int] | None,
    no_progress: int,
    corrections: int,
    expected: int,
) -> None:
    run, passed = tests or (0, 0)
    signals = Signals(
        tool_calls=calls,
        tool_successes=successes,
        same_errors=same_errors,
        no_progress_turns=no_progress,
        corrections=corrections,
        tests_run=run,
        tests_passed=passed,
    )
    assert score(reported, signals, turn=turn) == expected


def test_with_an_ordinary_self_report_and_untested_code_the_score_never_falls_below_33() -> None:
    worst = Signals(tool_calls=5, same_errors=9, no_progress_turns=9)
    assert score(70, worst, turn=9) == 33


def test_more_than_two_corrections_cost_no_more_than_two() -> None:
    assert score(70, Signals(corrections=3), turn=1) == score(70, Signals(corrections=2), turn=1) == 53


signals = st.builds(
    Signals,
    same_errors=st.integers(0, 40),
    no_progress_turns=st.integers(0, 40),
    corrections=st.integers(0, 5),
    tool_calls=st.integers(10, 20),
    tool_successes=st.integers(0, 10),
    tests_run=st.integers(10, 20),
    tests_passed=st.integers(0, 10),
)


@given(st.integers(-50, 150), signals, st.integers(0, 35))
def test_the_score_is_a_percentage_whatever_the_model_claims(reported: int, seen: Signals, turn: int) -> None:
    assert 0 <= score(reported, seen, turn=turn) <= 100
