from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from discord_agent.domain import memory
from discord_agent.domain.conversation import ModelReply, Purpose
from discord_agent.domain.errors import ModelRefused, ModelUnavailable
from discord_agent.domain.money import Cost
from discord_agent.domain.policy import GuildSettings
from discord_agent.domain.run import Next, Outcome, RunState, Signals
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import PRICE, answers, says
from tests.support.fakes.world import ADA, EXECUTION, GUILD, THREAD, World

_LESSON = answers(what_worked="tests first", what_failed="guessing", key_insight="read the traceback", extra="ignored")
_FAILED = Signals(failures=1, last_error="bash: no module named jwt")


def _ended(world: World, **changes: object) -> RunState:
    run = world.working(turn=3, outcome=Outcome.DONE, score=88, next=Next.END, **changes)
    world.clock.pass_by(timedelta(minutes=5))
    return run


def test_a_clean_run_is_noted_without_a_model() -> None:
    world = World()
    after = world.reflect()(_ended(world))
    assert (after.cost, world.model.requests, after.lesson) == (Cost(), [], "")
    [reflection] = world.reflections.list(THREAD)
    assert (reflection.score, reflection.what_failed, reflection.evidence) == (88, "", "")
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
    assert row.details["evidence"] == reflection.evidence != ""


def test_a_poor_score_alone_is_no_reason_to_ask_a_model() -> None:
    world = World()
    world.reflect()(replace(_ended(world), score=20))
    assert world.model.requests == []


def test_the_reflector_is_shown_the_evidence_and_the_end_of_the_conversation() -> None:
    world = World()
    world.plays(_LESSON, purpose=Purpose.REFLECT)
    world.reflect()(_ended(world, signals=_FAILED))
    shown = world.prompts.values_of("reflect_evidence")
    assert "The last error: bash: no module named jwt" in shown["evidence"]
    assert shown["messages"] == world.messages


def test_what_was_learned_is_shared_with_the_guild_and_goes_on_with_the_run() -> None:
    world = World()
    world.sessions.put_settings(GUILD, GuildSettings(repository="https://git.example/auth"))
    world.plays(_LESSON, purpose=Purpose.REFLECT)
    after = world.reflect()(_ended(world, signals=_FAILED))
    [insight] = world.insights.list(memory.shelf(GUILD, THREAD))
    assert (after.lesson, after.lesson_id) == (insight.text, insight.id) == ("read the traceback", insight.id)
    assert (insight.learned_in, insight.execution_id, insight.author_id) == (THREAD, EXECUTION, ADA)
    assert insight.repository == "https://git.example/auth"
    assert "no module named jwt" in insight.evidence


def test_what_people_have_forgotten_is_not_learned_again() -> None:
    world = World()
    world.plays(_LESSON, _LESSON, purpose=Purpose.REFLECT)
    run = _ended(world, signals=_FAILED)
    first = world.reflect()(run)
    world.insights.forget(memory.shelf(GUILD, THREAD), first.lesson_id, by=ADA)
    world.reflections.forget(THREAD, world.reflections.list(THREAD)[0].id)
    again = world.reflect()(run)
    assert (again.lesson, again.lesson_id) == ("", "")
    assert world.insights.list(memory.shelf(GUILD, THREAD)) == ()


def test_what_is_learned_holds_no_secrets() -> None:
    world = World()
    secret = "ghp_" + "a1B2" * 9
    world.plays(answers(key_insight=f"log in with {secret}", what_failed=secret), purpose=Purpose.REFLECT)
    after = world.reflect()(_ended(world, signals=_FAILED))
    [reflection] = world.reflections.list(THREAD)
    assert secret not in after.lesson + reflection.what_failed + reflection.key_insight
    assert after.lesson.startswith("log in with ")


@pytest.mark.parametrize("fault", [ModelUnavailable("down"), ModelRefused("401")])
def test_a_reflector_that_cannot_be_asked_costs_the_lesson_not_the_evidence(fault: Exception) -> None:
    world = World()
    world.model.faults[Purpose.REFLECT].append(fault)
    world.reflect()(_ended(world, signals=_FAILED))
    [reflection] = world.reflections.list(THREAD)
    assert reflection.what_failed == ""
    assert "no module named jwt" in reflection.evidence
    [row] = world.audit.of("reflection_failed")
    assert row.details["reason"] == type(fault).__name__


@pytest.mark.parametrize("replies", [(says("no JSON"), says("still none")), (answers(what_worked="N/A"),)])
def test_a_lesson_that_says_nothing_is_not_kept(replies: tuple[ModelReply, ...]) -> None:
    world = World()
    world.plays(*replies, purpose=Purpose.REFLECT)
    world.reflect()(_ended(world, signals=_FAILED))
    [reflection] = world.reflections.list(THREAD)
    assert "turns: 3" in reflection.what_worked


def test_a_retried_reflection_is_neither_asked_for_nor_kept_twice() -> None:
    world = World()
    world.plays(_LESSON, purpose=Purpose.REFLECT)
    run = _ended(world, signals=_FAILED)
    first = world.reflect()(run)
    world.clock.pass_by(timedelta(seconds=5))
    again = world.reflect()(run)
    assert (again.lesson, again.lesson_id) == (first.lesson, first.lesson_id)
    assert len(world.reflections.list(THREAD)) == 1
    [insight] = world.insights.list(memory.shelf(GUILD, THREAD))
    assert insight.times == 1
    assert len(world.model.requests) == 1


def test_a_reflection_that_dies_anywhere_leaves_one_lesson() -> None:
    world = World()
    world.plays(_LESSON, purpose=Purpose.REFLECT)
    run = _ended(world, signals=_FAILED)
    with world.effects.watch(moments := Moments()):
        lesson = world.reflect()(run).lesson
    for at in range(len(moments.seen)):
        world = World()
        world.plays(_LESSON, _LESSON, purpose=Purpose.REFLECT)
        run = _ended(world, signals=_FAILED)
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.reflect()(run)
        assert world.reflect()(run).lesson == lesson
        assert len(world.reflections.list(THREAD)) == 1
        assert [item.times for item in world.insights.list(memory.shelf(GUILD, THREAD))] == [1]
