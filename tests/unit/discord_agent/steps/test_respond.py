from copy import replace

import pytest

from discord_agent.domain import events
from discord_agent.domain.classification import FlowType, TaskType
from discord_agent.domain.controls import Action, Control, decode
from discord_agent.domain.conversation import ModelReply, Purpose, Role
from discord_agent.domain.errors import InvalidEvent, ModelUnavailable
from discord_agent.domain.ids import ChannelId, MessageId
from discord_agent.domain.inbound import Author, InboundMessage
from discord_agent.domain.options import Option
from discord_agent.domain.policy import Place
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Next, Outcome, RunState
from discord_agent.domain.session import ExecutionStatus
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER, PRICE, SCRIPTED, TOKENS, says
from tests.support.fakes.world import BOB, CHANNEL, EXECUTION, GUILD, MESSAGE, REQUEST, THREAD, World


def _asked(world: World, reply: ModelReply) -> RunState:
    world.plays(reply, reply, purpose=Purpose.RESPOND)
    return world.requested(flow=FlowType.SIMPLE)


def _posts(world: World) -> list[Post]:
    return [sent.post for sent in world.discord.sent.values() if sent.channel == CHANNEL]


def test_a_question_is_answered_in_place_by_one_completion() -> None:
    world = World()
    after = world.respond()(_asked(world, says("Because it blocks.")))
    assert _posts(world) == [Post("Because it blocks.", reply_to=MESSAGE)]
    assert (after.outcome, after.next, after.model) == (Outcome.DONE, Next.END, SCRIPTED)
    assert (after.usage, after.cost) == (TOKENS, PRICE)
    assert (world.row.status, world.row.outcome, world.row.usage) == (ExecutionStatus.COMPLETED, Outcome.DONE, TOKENS)
    assert world.events.types() == [events.EXECUTION_STARTED, events.EXECUTION_COMPLETED]
    [started] = world.audit.of(events.EXECUTION_STARTED)
    assert (started.actor, started.details["flow"]) == (world.row.author_id, FlowType.SIMPLE)
    [request] = world.model.requests
    assert request.tools == ()


def test_a_question_that_is_asked_again_with_a_stronger_model_goes_to_one() -> None:
    world = World()
    run = _asked(world, says("Because it blocks."))
    world.respond()(replace(run, wants_stronger=True, model=LADDER[1]))
    assert world.model.requests[0].model == LADDER[2]


def test_the_persons_words_are_data_and_never_part_of_the_system_prompt() -> None:
    world = World()
    world.respond()(_asked(world, says("Yes.")))
    system, user = world.model.requests[0].messages
    assert (system.role, system.text) == (Role.SYSTEM, f"[tasks/{TaskType.CODING}] ")
    assert REQUEST in user.text


def test_history_is_read_in_threads_only() -> None:
    world = World()
    said = InboundMessage(MessageId("299999999999999999"), CHANNEL, GUILD, Author(BOB, "Bob"), "Earlier words")
    world.discord.past[CHANNEL] = (said,)
    world.respond()(_asked(world, says("Yes.")))
    assert world.prompts.values_of("question")["history"] == ()
    world = World()
    world.discord.channels[CHANNEL] = Place(CHANNEL, GUILD, is_thread=True)
    world.discord.past[CHANNEL] = (said,)
    world.respond()(_asked(world, says("Yes.")))
    assert world.prompts.values_of("question")["history"] == ("Bob: Earlier words",)


@pytest.mark.parametrize("nothing", ["", "  \n"])
def test_an_empty_answer_is_said_to_be_none(nothing: str) -> None:
    world = World()
    world.respond()(_asked(world, says(nothing)))
    [post] = _posts(world)
    assert "The model gave no answer" in post.content


def test_a_long_answer_is_cut_and_only_its_beginning_replies() -> None:
    world = World()
    world.respond()(_asked(world, says("\n".join(f"line {number}" for number in range(600)))))
    first, *more = _posts(world)
    assert first.reply_to == MESSAGE
    assert more
    assert all(post.reply_to is None for post in more)


def test_a_very_long_answer_is_sent_as_a_file() -> None:
    world = World()
    text = "\n".join(f"line {number}" for number in range(3000))
    world.respond()(_asked(world, says(text)))
    [post] = _posts(world)
    assert post.files[0].content == text.encode()


def test_a_stop_while_the_model_is_asked_ends_the_run_as_stopped() -> None:
    world = World()
    run = _asked(world, says("never"))
    world.model.during = lambda request: world.executions.request_stop(EXECUTION, BOB)
    after = world.respond()(run)
    assert after.outcome is Outcome.STOPPED
    [post] = _posts(world)
    assert "Stopped" in post.content
    assert world.events.types()[-1] == events.EXECUTION_ABORTED


def test_a_provider_that_does_not_answer_leaves_the_question_to_a_retry() -> None:
    world = World()
    run = _asked(world, says("Here."))
    world.model.faults[Purpose.RESPOND].append(ModelUnavailable("overloaded"))
    with pytest.raises(ModelUnavailable):
        world.respond()(run)
    assert _posts(world) == []
    world.respond()(run)
    assert len(_posts(world)) == 1


def test_an_answer_that_dies_anywhere_is_given_once_and_paid_for_twice_at_most() -> None:
    world = World()
    run = _asked(world, says("Here."))
    with world.effects.watch(moments := Moments()):
        world.respond()(run)
    for at in range(len(moments.seen)):
        world = World()
        run = _asked(world, says("Here."))
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.respond()(run)
        after = world.respond()(run)
        assert [post.content for post in _posts(world)] == ["Here."]
        assert after.outcome is Outcome.DONE
        assert len(world.model.requests) <= 2
        assert world.row.terminal_message_id is not None
        assert world.row.status is ExecutionStatus.COMPLETED


def test_a_question_that_was_answered_is_not_asked_again() -> None:
    world = World()
    run = _asked(world, says("Here."))
    world.respond()(run)
    assert world.respond()(run).outcome is Outcome.DONE
    assert len(world.model.requests) == 1


def test_a_question_without_a_row_cannot_be_answered() -> None:
    world = World()
    run = _asked(world, says("Here."))
    world.executions.rows.clear()
    with pytest.raises(InvalidEvent):
        world.respond()(run)


def test_a_secret_where_an_answer_is_cut_into_messages_is_in_none_of_them() -> None:
    world = World()
    world.respond()(_asked(world, says(f"{'x' * 1880} ghp_{'Z' * 36} and so on")))
    shown = [post.content for post in _posts(world)]
    assert len(shown) == 2
    assert not [text for text in shown if "ZZ" in text]


def test_a_long_thread_is_summed_up_for_the_answer_and_paid_for_with_it() -> None:
    world = World()
    run = replace(_asked(world, says("Yes.")), channel_id=ChannelId(THREAD), thread_id=THREAD)
    world.discord.channels[THREAD] = Place(ChannelId(THREAD), GUILD, CHANNEL, is_thread=True)
    world.discord.past[THREAD] = tuple(
        InboundMessage(MessageId(f"3100000000000{number:05}"), ChannelId(THREAD), GUILD, Author(BOB, "Bob"), "Words")
        for number in range(1, 101)
    )
    world.plays(says("- Many words."), purpose=Purpose.SUMMARIZE)
    after = world.respond()(run)
    assert world.prompts.values_of("question")["history"][0].endswith("- Many words.")
    assert after.cost == PRICE + PRICE


def test_an_analysis_of_architecture_can_be_handed_to_an_agent_by_a_button() -> None:
    world = World()
    run = replace(_asked(world, says("Use a queue.")), task_type=TaskType.ARCHITECTURE)
    world.respond()(run)
    [post] = _posts(world)
    [[button]] = post.buttons
    assert button.label == "Implement this"
    assert decode(button.custom_id) == Control(Action.CHOOSE, EXECUTION, "1")
    assert world.row.options == (Option("Implement this", "Use a queue."),)


def test_an_analysis_that_says_nothing_offers_nothing() -> None:
    world = World()
    world.respond()(replace(_asked(world, says("")), task_type=TaskType.ARCHITECTURE))
    [post] = _posts(world)
    assert post.buttons == ()
    assert world.row.options == ()


@pytest.mark.parametrize("task", [TaskType.SOCIAL, TaskType.PROOFREADER])
def test_some_kinds_of_task_are_about_the_one_message(task: TaskType) -> None:
    world = World()
    world.discord.channels[CHANNEL] = Place(CHANNEL, GUILD, is_thread=True)
    said = InboundMessage(MessageId("299999999999999999"), CHANNEL, GUILD, Author(BOB, "Bob"), "Earlier words")
    world.discord.past[CHANNEL] = (said,)
    world.respond()(replace(_asked(world, says("Yes.")), task_type=task))
    assert world.prompts.values_of("question")["history"] == ()


def test_an_analysis_that_dies_after_it_was_shown_hands_over_what_was_shown() -> None:
    def asked() -> tuple[World, RunState]:
        world = World()
        run = replace(_asked(world, says("Use a queue.")), task_type=TaskType.ARCHITECTURE)
        world.plays(says("Use a queue."), says("Use a table."), purpose=Purpose.RESPOND)
        return world, run

    world, run = asked()
    with world.effects.watch(moments := Moments()):
        world.respond()(run)
    for at in range(len(moments.seen)):
        world, run = asked()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.respond()(run)
        world.respond()(run)
        [post], [option] = _posts(world), world.row.options
        assert post.content == option.text, moments.seen[at]
