import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import planning


def test_a_plan_of_ten_thousand_steps_keeps_its_first_ones_and_says_so() -> None:
    text = "# Plan\n\n" + "\n".join(f"{number}. Do thing {number}." for number in range(1, 10_001))
    kept, reasons = planning.bounded("plan_content", text, planning.PLAN_LIMIT)
    assert kept.splitlines()[-1] == "60. Do thing 60."
    assert reasons == ("plan_content: 10000 steps, the first 60 are kept",)


@pytest.mark.parametrize("line", ["### Step 7 Do it", "7) Do it", "  7. Do it", "## 7. Do it"])
def test_steps_are_counted_however_they_are_numbered(line: str) -> None:
    _, reasons = planning.bounded("plan_content", "\n".join([line] * 61), planning.PLAN_LIMIT)
    assert reasons == ("plan_content: 61 steps, the first 60 are kept",)


@given(st.text(max_size=400), st.integers(1, 300))
def test_a_text_is_within_its_limit_and_only_cut_with_a_reason(text: str, limit: int) -> None:
    kept, reasons = planning.bounded("task", text, limit)
    assert len(kept) <= limit
    assert text.startswith(kept)
    assert (kept == text) is (not reasons)


def test_a_topic_goes_on_under_its_name() -> None:
    assert planning.topic("auth-login", is_new=False, before="token-login") == "token-login"
    assert planning.topic("auth-login", is_new=True, before="token-login") == "auth-login"
    assert planning.topic("auth-login", is_new=False, before="") == "auth-login"


@given(st.lists(st.text(max_size=3)), st.text(max_size=3))
def test_topics_are_kept_once_newest_first(known: list[str], newest: str) -> None:
    kept = planning.topics(tuple(dict.fromkeys(known)), newest)
    assert kept[0] == newest
    assert len(set(kept)) == len(kept) <= planning.MOST_TOPICS
