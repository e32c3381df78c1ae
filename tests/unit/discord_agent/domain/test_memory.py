from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import memory
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.memory import Insight, Reflection, as_prompt, clean_run, merged, ranked
from discord_agent.domain.run import RunState, Signals, TurnStatus
from discord_agent.domain.session import LastRun

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
THREAD = ThreadId("1")


def reflection(number: int = 0, **fields: str) -> Reflection:
    plain = Reflection(f"r{number}", NOON + timedelta(hours=number), ExecutionId(f"m-{number}"), 50)
    return replace(plain, **fields)  # type: ignore[arg-type]  # fields by name


def insight(text: str, number: int = 0, **fields: object) -> Insight:
    execution = ExecutionId(f"m-{number}")
    plain = Insight(
        memory.name_of(execution, text), text, NOON + timedelta(hours=number), THREAD, execution, UserId("5")
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # fields by name


def test_the_newest_five_reflections_are_kept_newest_first() -> None:
    kept = memory.newest_reflections([reflection(number) for number in (3, 0, 6, 2, 5, 1, 4)])
    assert kept == tuple(reflection(number) for number in (6, 5, 4, 3, 2))


def test_the_newest_twenty_insights_are_kept_newest_first() -> None:
    kept = memory.newest_insights([insight(f"insight {number}", number) for number in range(25)])
    assert [item.text for item in kept] == [f"insight {number}" for number in range(24, 4, -1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Run the tests before committing", "Before committing, run the test"),
        ("Always read the whole traceback first", "read the WHOLE traceback first!"),
        ("Check the fixtures of the auth tests", "The fixtures of auth tests: check them"),
    ],
)
def test_sentences_with_mostly_the_same_words_say_the_same(one: str, other: str) -> None:
    assert memory.alikeness(one, other) >= memory.ALIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Run the tests before committing", "Run the tests after committing"),
        ("Cache the parsed settings", "Never cache the parsed settings"),
        ("Always run the test suite before committing", "Always run the test suite of the payment service in Docker"),
        ("", ""),
    ],
)
def test_sentences_that_share_a_beginning_or_say_the_opposite_do_not(one: str, other: str) -> None:
    assert memory.alikeness(one, other) < memory.ALIKE


@given(st.text(max_size=60), st.text(max_size=60))
def test_alikeness_is_mutual_and_whole_for_the_same_words(one: str, other: str) -> None:
    assert memory.alikeness(one, other) == memory.alikeness(other, one)
    assert memory.alikeness(one, one) in {0.0, 1.0}


def test_an_insight_that_says_what_is_known_counts_towards_it_and_keeps_its_words() -> None:
    known = insight("Run the tests before committing", 1, edited_by=UserId("9"))
    again = insight("Before committing run the tests", 2, repository="git://b", evidence="tests failed")
    assert merged([known], again) == replace(
        again, id=known.id, text=known.text, times=2, edited_by=UserId("9"), at=again.at
    )


def test_a_run_teaches_the_same_once() -> None:
    known = insight("Run the tests before committing", 1, times=3)
    assert merged([known], insight("Before committing run the tests", 1)) == known


def test_a_new_insight_is_kept_as_it_is() -> None:
    new = insight("Read the error", 2)
    assert merged([insight("Run the tests", 1)], new) == new


def test_insights_are_ranked_by_thread_then_repository_then_how_often_they_were_seen() -> None:
    other = ThreadId("2")
    elsewhere = insight("a", 9, learned_in=other)
    often = insight("b", 1, learned_in=other, times=4)
    of_repository = insight("c", 1, learned_in=other, repository="git://x")
    of_thread = insight("d", 0)
    found = ranked([elsewhere, often, of_repository, of_thread], repository="git://x", thread=THREAD)
    assert found == (of_thread, of_repository, often, elsewhere)


def test_threads_without_a_repository_have_none_in_common() -> None:
    older, newer = insight("a", 1, learned_in=ThreadId("2")), insight("b", 2, learned_in=ThreadId("3"))
    assert ranked([older, newer], repository="", thread=THREAD) == (newer, older)


def test_insights_are_shared_in_a_guild_and_nowhere_else() -> None:
    first = memory.shelf(GuildId("7"), ThreadId("1"))
    assert first == memory.shelf(GuildId("7"), ThreadId("2"))
    assert first != memory.shelf(GuildId("8"), ThreadId("1"))
    assert memory.shelf(None, ThreadId("1")) != memory.shelf(None, ThreadId("2"))


@pytest.mark.parametrize("nothing", ["", "  ", "N/A", "n/a.", "None"])
def test_a_sentence_that_says_nothing_is_refused(nothing: str) -> None:
    with pytest.raises(InvalidInput):
        memory.sentence(nothing)


@given(st.text(min_size=1, max_size=900).filter(lambda text: not memory.says_nothing(" ".join(text.split()))))
def test_a_sentence_is_one_line_of_bounded_length(text: str) -> None:
    said = memory.sentence(text)
    assert len(said) <= memory.INSIGHT_LIMIT
    assert "\n" not in said


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
        id=memory.name_of(ExecutionId("m-1"), "run"),
        at=NOON,
        execution_id=ExecutionId("m-1"),
        score=98,
        what_worked="turns: 3, tool calls: 6, files changed: 1, ended complete; tests passed: 4 of 4",
    )


def test_a_first_run_is_told_that_nothing_is_remembered() -> None:
    assert as_prompt((), None) == (
        "Last run in this thread:\nnone\n\nReflections, newest first:\nnone\n\nInsights, most relevant first:\nnone"
    )


def test_a_later_run_reads_what_earlier_ones_taught() -> None:
    last = LastRun(
        "turns: 5", 44, 20, 60, 77.5, issues=("Errors occurred: 1.",), reasoning="failed after 5 of 20 turns"
    )
    taught = reflection(what_failed="the tests", root_cause="a typo", strategy_change="N/A", evidence="2 of 4 tests")
    assert as_prompt((taught,), last, (insight("Read the error."), insight("Run the tests."))) == (
        "Last run in this thread:\n"
        "Trajectory: turns: 5\nScore: 44\nBecause: failed after 5 of 20 turns\nTask completion: 20\nCode quality: 60\nEfficiency: 77.5\n"
        "Issues: Errors occurred: 1.\nSuggestions: none\n\n"
        "Reflections, newest first:\n"
        "1. 2026-01-02T12:00:00+00:00 (score 50)\n   Evidence: 2 of 4 tests\n   What failed: the tests\n"
        "   Root cause: a typo\n\n"
        "Insights, most relevant first:\n1. Read the error.\n2. Run the tests."
    )
