from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from discord_agent.domain.conversation import ModelReply, Purpose
from discord_agent.domain.errors import ModelRefused, ModelUnavailable
from discord_agent.domain.money import Cost
from discord_agent.domain.run import Next, Outcome, RunState, Signals
from tests.support.fakes.models import PRICE, answers, says
from tests.support.fakes.world import THREAD, World

_LESSON = answers(what_worked="tests first", what_failed="guessing", key_insight="read the traceback", extra="ignored")


def _ended(world: World, **changes: object) -> RunState:
    run = world.working(turn=3, outcome=Outcome.DONE, score=88, next=Next.END, **changes)
    world.clock.pass_by(timedelta(minutes=5))
    return run


def test_a_clean_run_is_noted_without_a_model() -> None:
    world = World()
    after = world.reflect()(_ended(world))
    assert (after.cost, world.model.requests) == (Cost(), [])
    [reflection] = world.reflections.list(THREAD)
    assert (reflection.score, reflection.what_failed) == (88, "")
    assert "turns: 3" in reflection.what_worked


@pytest.mark.parametrize(
    "changes", [{"signals": Signals(failures=1)}, {"outcome": Outcome.STOPPED}, {"outcome": Outcome.OUT_OF_TURNS}]
)
def test_a_run_with_evidence_is_reflected_on_by_a_model(changes: dict[str, Any]) -> None:
    world = World()
    world.plays(_LESSON, purpose=Purpose.REFLECT)
    run = _ended(world)
    after = world.reflect()(replace(run, **changes))
    [reflection] = world.reflections.list(THREAD)
    assert (reflection.what_worked, reflection.key_insight) == ("tests first", "read the traceback")
    assert (reflection.score, reflection.at) == (88, world.clock.now())
    assert after.cost == PRICE
    [row] = world.audit.of("reflection")
    assert (row.details["byModel"], row.cost) == (True, PRICE)


@pytest.mark.parametrize("fault", [ModelUnavailable("down"), ModelRefused("401")])
def test_a_reflector_that_cannot_be_asked_costs_the_lesson_not_the_run(fault: Exception) -> None:
    world = World()
    world.model.faults[Purpose.REFLECT].append(fault)
    world.reflect()(_ended(world, signals=Signals(failures=1)))
    [reflection] = world.reflections.list(THREAD)
    assert reflection.what_failed == ""
    [row] = world.audit.of("reflection_failed")
    assert row.details["reason"] == type(fault).__name__


@pytest.mark.parametrize("replies", [(says("no JSON"), says("still none")), (answers(what_worked="N/A"),)])
def test_a_lesson_that_says_nothing_is_not_kept(replies: tuple[ModelReply, ...]) -> None:
    world = World()
    world.plays(*replies, purpose=Purpose.REFLECT)
    world.reflect()(_ended(world, signals=Signals(failures=1)))
    [reflection] = world.reflections.list(THREAD)
    assert "turns: 3" in reflection.what_worked


def test_a_retried_reflection_is_neither_asked_for_nor_kept_twice() -> None:
    world = World()
    world.plays(_LESSON, purpose=Purpose.REFLECT)
    run = _ended(world, signals=Signals(failures=1))
    world.reflect()(run)
    world.clock.pass_by(timedelta(seconds=5))
    world.reflect()(run)
    assert len(world.reflections.list(THREAD)) == 1
    assert len(world.model.requests) == 1
