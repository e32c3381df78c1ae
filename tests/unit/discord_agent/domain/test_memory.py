from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.memory import as_prompt, clean_run, learn, remember
from discord_agent.domain.run import RunState, Signals, TurnStatus
from discord_agent.domain.session import LastRun, Reflection

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def reflection(number: int = 0, **fields: str) -> Reflection:
    texts = dict.fromkeys(("what_worked", "what_failed", "root_cause", "strategy_change", "key_insight"), "") | fields
    return Reflection(at=NOON + timedelta(hours=number), score=50, **texts)


def test_the_newest_five_reflections_are_kept_newest_first() -> None:
    kept: tuple[Reflection, ...] = ()
    for number in range(7):
        kept = remember(kept, reflection(number))
    assert kept == tuple(reflection(number) for number in (6, 5, 4, 3, 2))


def test_remembering_the_same_again_changes_nothing() -> None:
    kept = remember(remember((), reflection(1)), reflection(2))
    assert remember(kept, reflection(2)) == kept


@given(st.lists(st.text(max_size=60)))
def test_at_most_twenty_insights_are_kept_and_none_is_empty(texts: list[str]) -> None:
    kept: tuple[str, ...] = ()
    for text in texts:
        kept = learn(kept, text)
    assert len(kept) <= 20
    assert all(insight.strip() for insight in kept)


def test_a_new_insight_comes_first() -> None:
    assert learn(("run the tests first",), "read the error") == ("read the error", "run the tests first")


def test_an_insight_whose_first_twenty_characters_are_known_is_left_out() -> None:
    known = ("Always run the test suite before committing",)
    assert learn(known, "run the test suite before you go on") == known
    assert learn(known, "ALWAYS RUN THE TEST SUITE twice") == known
    assert len(learn(known, "never run the suite")) == 2


@pytest.mark.parametrize("nothing", ["", "  ", "N/A", "n/a.", "None"])
def test_an_insight_that_says_nothing_is_not_kept(nothing: str) -> None:
    assert learn((), nothing) == ()


def test_a_clean_run_is_remembered_by_its_figures() -> None:
    run = RunState(
        execution_id=ExecutionId("m-1"),
        thread_id=ThreadId("1"),
        channel_id=ChannelId("1"),
        message_id=MessageId("1"),
        author_id=UserId("1"),
        turn=3,
        max_turns=10,
        status=TurnStatus.COMPLETE,
        files_changed=("a.py",),
        signals=Signals(total_tool_calls=6, tests_run=4, tests_passed=4),
        score=98,
    )
    assert clean_run(run, NOON) == Reflection(
        at=NOON,
        score=98,
        what_worked="turns: 3, tool calls: 6, files changed: 1, ended complete; tests passed: 4 of 4",
        what_failed="",
        root_cause="",
        strategy_change="",
        key_insight="",
    )


def test_a_first_run_is_told_that_nothing_is_remembered() -> None:
    assert as_prompt((), None) == (
        "Last run in this thread:\nnone\n\nReflections, newest first:\nnone\n\nInsights, newest first:\nnone"
    )


def test_a_later_run_reads_what_earlier_ones_taught() -> None:
    last = LastRun("turns: 5", 44, 20, 60, 77.5, issues=("Errors occurred: 1.",))
    taught = reflection(what_failed="the tests", root_cause="a typo", strategy_change="N/A")
    assert as_prompt((taught,), last, ("Read the error.", "Run the tests.")) == (
        "Last run in this thread:\n"
        "Trajectory: turns: 5\nScore: 44\nTask completion: 20\nCode quality: 60\nEfficiency: 77.5\n"
        "Issues: Errors occurred: 1.\nSuggestions: none\n\n"
        "Reflections, newest first:\n"
        "1. 2026-01-02T12:00:00+00:00 (score 50)\n   What failed: the tests\n   Root cause: a typo\n\n"
        "Insights, newest first:\n1. Read the error.\n2. Run the tests."
    )
