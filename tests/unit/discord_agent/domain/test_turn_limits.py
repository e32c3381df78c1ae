import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.classification import Complexity, max_turns


@pytest.mark.parametrize(
    ("complexity", "estimated", "limit"),
    [
        ("simple", 4, 4),
        ("simple", 50, 10),
        ("medium", 0, 20),
        ("complex", 35, 35),
        ("complex", 36, 35),
        ("simple", -3, 10),
        (None, 0, 20),
        (None, 50, 20),
    ],
)
def test_a_plan_can_shorten_the_turns_of_its_complexity(complexity: str | None, estimated: int, limit: int) -> None:
    assert max_turns(Complexity(complexity) if complexity else None, estimated) == limit


@given(st.sampled_from([*Complexity, None]), st.integers())
def test_no_estimate_takes_a_run_beyond_thirty_five_turns_or_below_one(
    complexity: Complexity | None, estimated: int
) -> None:
    assert 1 <= max_turns(complexity, estimated) <= 35
