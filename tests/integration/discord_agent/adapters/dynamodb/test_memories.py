from copy import replace
from datetime import timedelta

import pytest

from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.memories import DynamoInsights, DynamoReflections
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain import memory
from discord_agent.domain.errors import InvalidInput, LeaseLost
from discord_agent.domain.ids import ExecutionId, GuildId, ThreadId, UserId
from discord_agent.domain.memory import Insight, Reflection, Shelf
from discord_agent.holdings import TABLES
from tests.support.clock import ManualClock

ADA = UserId("5")


@pytest.fixture
def insights(store: Store, clock: ManualClock) -> DynamoInsights:
    return DynamoInsights(store, TABLES["sessions"].name, clock)


@pytest.fixture
def reflections(store: Store, clock: ManualClock) -> DynamoReflections:
    return DynamoReflections(store, TABLES["sessions"].name, clock)


@pytest.fixture
def shelf(thread: ThreadId) -> Shelf:
    """The shelf of a guild that no other test uses."""
    return memory.shelf(GuildId(thread), thread)


def _insight(clock: ManualClock, text: str, execution: str = "m-1") -> Insight:
    clock.pass_by(timedelta(seconds=1))
    run = ExecutionId(execution)
    return Insight(
        memory.name_of(run, text), text, clock.now(), ThreadId("7"), run, ADA, "https://git.example/a", "tests failed"
    )


def _reflection(clock: ManualClock, number: int) -> Reflection:
    clock.pass_by(timedelta(seconds=1))
    return Reflection(f"r{number}", clock.now(), ExecutionId(f"m-{number}"), 40, what_failed=f"thing {number}")


def test_an_insight_comes_back_as_it_was_kept(insights: DynamoInsights, shelf: Shelf, clock: ManualClock) -> None:
    kept = insights.learn(shelf, _insight(clock, "Read the traceback."))
    assert kept is not None
    assert insights.list(shelf) == (kept,)
    assert insights.list(Shelf("guild#0")) == ()


def test_the_newest_twenty_insights_are_kept(insights: DynamoInsights, shelf: Shelf, clock: ManualClock) -> None:
    for number in range(23):
        insights.learn(shelf, _insight(clock, f"fact{number} about{number} thing{number}", f"m-{number}"))
    texts = [item.text.split()[0] for item in insights.list(shelf)]
    assert texts == [f"fact{number}" for number in range(22, 2, -1)]


def test_an_insight_taught_again_is_counted_and_keeps_the_words_that_people_chose(
    insights: DynamoInsights, shelf: Shelf, clock: ManualClock
) -> None:
    first = insights.learn(shelf, _insight(clock, "Read the whole traceback first"))
    assert first is not None
    insights.edit(shelf, first.id, "First read the whole traceback, please", by=ADA)
    again = insights.learn(shelf, _insight(clock, "read the whole traceback first.", "m-2"))
    assert again is not None
    assert (again.id, again.text, again.times) == (first.id, "First read the whole traceback, please", 2)
    assert (again.execution_id, again.edited_by) == ("m-2", ADA)
    assert insights.list(shelf) == (again,)


def test_the_same_run_teaches_the_same_once(insights: DynamoInsights, shelf: Shelf, clock: ManualClock) -> None:
    insight = _insight(clock, "Read the traceback.")
    assert insights.learn(shelf, insight) == insights.learn(shelf, insight)
    assert [item.times for item in insights.list(shelf)] == [1]


def test_what_was_forgotten_stays_away_and_so_does_its_like(
    insights: DynamoInsights, shelf: Shelf, clock: ManualClock
) -> None:
    kept = insights.learn(shelf, _insight(clock, "Read the whole traceback first"))
    assert kept is not None
    assert insights.forget(shelf, kept.id, by=ADA) == replace(kept, edited_by=ADA)
    assert insights.forget(shelf, kept.id, by=ADA) is None
    assert insights.learn(shelf, _insight(clock, "first read the whole traceback", "m-2")) is None
    assert insights.list(shelf) == ()


def test_an_insight_that_says_nothing_is_neither_kept_nor_put_in_the_place_of_one(
    insights: DynamoInsights, shelf: Shelf, clock: ManualClock
) -> None:
    assert insights.learn(shelf, _insight(clock, "N/A")) is None
    kept = insights.learn(shelf, _insight(clock, "Read the traceback."))
    assert kept is not None
    with pytest.raises(InvalidInput):
        insights.edit(shelf, kept.id, " ", by=ADA)
    assert insights.edit(shelf, "nobody", "Something.", by=ADA) is None
    assert insights.list(shelf) == (kept,)


def test_the_newest_five_reflections_are_kept(
    reflections: DynamoReflections, thread: ThreadId, clock: ManualClock
) -> None:
    for number in range(7):
        reflections.add(thread, _reflection(clock, number))
    assert [item.id for item in reflections.list(thread)] == ["r6", "r5", "r4", "r3", "r2"]


def test_a_reflection_can_be_put_differently_and_forgotten(
    reflections: DynamoReflections, thread: ThreadId, clock: ManualClock
) -> None:
    reflection = _reflection(clock, 1)
    reflections.add(thread, reflection)
    edited = replace(reflection, strategy_change="Ask first.", edited_by=ADA)
    assert reflections.edit(thread, "r1", "Ask first.", by=ADA) == edited
    assert reflections.list(thread) == (edited,)
    assert reflections.forget(thread, "r1") == edited
    assert reflections.forget(thread, "r1") is None
    assert reflections.edit(thread, "r1", "Again.", by=ADA) is None
    assert reflections.list(thread) == ()


def test_a_late_attempt_adds_no_reflection(
    reflections: DynamoReflections, leases: DynamoLeases, thread: ThreadId, clock: ManualClock
) -> None:
    old = leases.acquire(thread, ExecutionId("m-1"))
    newer = leases.renew(thread, ExecutionId("m-1"))
    with pytest.raises(LeaseLost):
        reflections.add(thread, _reflection(clock, 1), lease=old)
    reflections.add(thread, _reflection(clock, 2), lease=newer)
    assert [item.id for item in reflections.list(thread)] == ["r2"]


def test_a_forgotten_thread_has_no_memory_left(
    reflections: DynamoReflections,
    insights: DynamoInsights,
    sessions: DynamoSessions,
    thread: ThreadId,
    clock: ManualClock,
) -> None:
    reflections.add(thread, _reflection(clock, 1))
    direct = memory.shelf(None, thread)
    insights.learn(direct, _insight(clock, "Read the traceback."))
    sessions.delete(thread)
    assert (reflections.list(thread), insights.list(direct)) == ((), ())
