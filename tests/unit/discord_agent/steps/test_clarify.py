from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import Conflict, DiscordRefused, DiscordUnavailable, ModelUnavailable, Stopped
from discord_agent.domain.ids import ChannelId, ExecutionId
from discord_agent.domain.run import Next, Outcome, RunState, Waiting
from discord_agent.domain.session import ExecutionStatus
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import calls, finishes
from tests.support.fakes.world import BOB, EXECUTION, THREAD, World


def _asking(world: World) -> RunState:
    return world.working(turn=2, next=Next.CLARIFY, question="Which key?", options=("old", "new"))


def test_a_question_parks_the_run_and_gives_the_thread_back() -> None:
    world = World()
    run = _asking(world)
    world.clarify()(run, "token")
    assert (world.row.status, world.row.task_token, world.row.question) == (
        ExecutionStatus.PARKED,
        "token",
        "Which key?",
    )
    assert world.sessions.get(THREAD).parked == EXECUTION
    assert world.leases.holder(THREAD) is None
    question = world.discord.with_nonce(f"{EXECUTION}/ask/2")
    assert question.channel == ChannelId(THREAD)
    assert "Which key?" in question.post.embeds[0].description
    assert [button.label for button in question.post.buttons[0]] == ["old", "new"]
    [row] = world.audit.of("clarification")
    assert row.details == {"turn": 2, "question": "Which key?", "options": ["old", "new"]}


@pytest.mark.parametrize(
    ("waiting", "title"), [(Waiting.ANSWER, "💬 Waiting for your answer"), (Waiting.MONEY, "💰 Waiting for money")]
)
def test_the_live_card_says_that_the_run_waits_until_it_goes_on(waiting: Waiting, title: str) -> None:
    world = World()
    world.plays(calls(("read_file", {"path": "auth.py"})), finishes())
    run = replace(_asking(world), waiting=waiting)
    world.clarify()(run, "token")
    assert _card_title(world) == title
    world.clock.pass_by(timedelta(minutes=5))
    world.executions.unpark(EXECUTION)
    world.turn()(run)
    assert _card_title(world) == "⚙️ Working... (react 🛑 to stop)"


def test_a_card_that_cannot_be_edited_never_keeps_a_question_from_being_asked() -> None:
    world = World()
    run = _asking(world)
    world.discord.failures["edit"] = lambda: DiscordRefused("Unknown Message", status=404)
    world.clarify()(run, "token")
    assert world.row.question_message_id is not None
    assert len(world.audit.of("card_refused")) == 1


def _card_title(world: World) -> str:
    return world.discord.with_nonce(f"{EXECUTION}/card").post.embeds[0].title


def test_a_question_that_is_retried_is_asked_once_and_waits_on_the_newest_token() -> None:
    world = World()
    run = _asking(world)
    moments = Moments()
    with world.effects.watch(moments):
        world.clarify()(run, "token 0")
    for at in range(len(moments.seen)):
        world = World()
        run = _asking(world)
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.clarify()(run, "token 1")
        world.clarify()(run, "token 2")
        assert world.row.task_token == "token 2"
        assert sum("Clarification" in text for text in world.discord.texts(THREAD)) == 1
        assert world.leases.holder(THREAD) is None


def test_an_answer_that_is_faster_than_the_question_keeps_its_lease() -> None:
    world = World()
    run = _asking(world)
    world.plays(finishes())

    def answer(moment: str) -> None:
        if moment == "after discord.send":
            with world.effects.watch(None):
                assert world.executions.unpark(EXECUTION) == "token"
                world.turn()(run)

    with world.effects.watch(answer):
        world.clarify()(run, "token")
    assert world.leases.holder(THREAD) == EXECUTION
    assert world.row.turns == 3


def test_a_run_that_was_stopped_before_it_parked_does_not_wait_for_an_answer() -> None:
    world = World()
    run = _asking(world)
    world.executions.request_stop(EXECUTION, BOB)
    with pytest.raises(Stopped):
        world.clarify()(run, "token")
    assert not any("Clarification" in text for text in world.discord.texts(THREAD))


def test_a_parked_run_waits_until_the_thread_is_free() -> None:
    world = World()
    run = _asking(world)
    world.clarify()(run, "token")
    other = ExecutionId("m-1")
    world.leases.acquire(THREAD, other)
    with pytest.raises(Conflict):
        world.turn()(run)
    world.leases.release(THREAD, other)
    world.plays(finishes())
    assert world.turn()(run).turn == 3


def test_a_question_that_was_answered_has_no_buttons_any_more() -> None:
    world = World()
    run = _asking(world)
    world.clarify()(run, "token")
    world.plays(finishes())
    world.turn()(run)
    question = world.discord.with_nonce(f"{EXECUTION}/ask/2").post
    assert question.buttons == ()
    assert "Which key?" in question.embeds[0].description


@pytest.mark.parametrize("fault", [DiscordRefused("Unknown Message", status=404), DiscordUnavailable("503")])
def test_a_question_that_cannot_be_closed_never_fails_the_run(fault: Exception) -> None:
    world = World()
    run = _asking(world)
    world.clarify()(run, "token")
    world.discord.failures["edit"] = lambda: fault
    world.plays(finishes())
    assert world.turn()(run).turn == 3


def test_a_question_that_nobody_answers_ends_the_run_as_needing_people() -> None:
    world = World()
    run = _asking(world)
    world.clarify()(run, "token")
    timed_out = replace(run, outcome=Outcome.NEEDS_YOU)
    after = world.evaluate()(timed_out)
    assert (after.next, after.outcome) == (Next.END, Outcome.NEEDS_YOU)
    assert world.sessions.get(THREAD).parked is None
    world.model.faults[Purpose.REFLECT].append(ModelUnavailable("down"))
    world.finish()(world.commit()(world.reflect()(after)))
    [told] = [text for text in world.discord.texts(THREAD) if "I need you" in text]
    assert "Which key?" in told
    assert world.row.outcome is Outcome.NEEDS_YOU
    assert world.leases.holder(THREAD) is None
    with pytest.raises(Conflict):
        world.executions.unpark(EXECUTION)
