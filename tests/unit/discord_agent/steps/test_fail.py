from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain import events
from discord_agent.domain.budget import Payer
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, execution_for_message
from discord_agent.domain.inbound import Author, InboundMessage
from discord_agent.domain.money import Usd
from discord_agent.domain.run import Commit, Next, Outcome, RunState, StepFailure
from discord_agent.domain.session import Approval, ExecutionStatus, InboxItem, ItemKind
from discord_agent.steps.spending import payer_of
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER, PRICE, calls, says
from tests.support.fakes.world import ADA, BOB, CHANNEL, EXECUTION, MESSAGE, THREAD, World

OTHER = ExecutionId("m-1")


def _failed(world: World, error: str = "ModelRefused", **changes: object) -> RunState:
    return world.working(turn=3, failure=StepFailure(error, "Traceback: secret details"), **changes)


def _told(world: World) -> list[str]:
    return [sent.post.content for sent in world.discord.sent.values() if "/end/" in sent.nonce]


def test_a_failed_run_says_what_happened_what_is_kept_and_how_to_go_on() -> None:
    world = World()
    run = _failed(world)
    world.executions.update(EXECUTION, turns=3, manifest_id=run.manifest_id)
    world.fail().run_failed(run)
    [text] = _told(world)
    assert "The model's provider refused the request." in text
    assert "the work of 3 turns is kept" in text
    assert EXECUTION in text
    assert "Traceback" not in text
    post = world.discord.with_nonce(f"{EXECUTION}/end/0").post
    assert [button.label for button in post.buttons[0]] == [
        "Try again",
        "Try with a stronger model",
        "Back to the start",
    ]
    [row] = world.audit.of("failure")
    assert row.details == {"error": "ModelRefused", "cause": "Traceback: secret details", "turn": 3}
    assert (world.row.status, world.row.outcome) == (ExecutionStatus.FAILED, Outcome.FAILED)
    assert world.events.types() == [events.EXECUTION_ABORTED]


def test_a_failed_run_leaves_neither_lease_nor_parked_mark_and_keeps_its_work() -> None:
    world = World()
    run = _failed(world)
    world.sessions.update(THREAD, parked=EXECUTION)
    world.fail().run_failed(run)
    assert world.leases.holder(THREAD) is None
    session = world.sessions.get(THREAD)
    assert (session.parked, session.dirty) == (None, True)
    card = world.discord.with_nonce(f"{EXECUTION}/card").post
    assert (card.embeds[0].title, card.buttons) == ("❌ Failed", ())


def test_failing_again_changes_nothing() -> None:
    world = World()
    run = _failed(world)
    world.fail().run_failed(run)
    world.sessions.update(THREAD, dirty=False)
    world.leases.acquire(THREAD, OTHER)
    world.clock.pass_by(timedelta(hours=1))
    world.fail().run_failed(replace(run, failure=StepFailure("States.Timeout")))
    assert len(_told(world)) == 1
    assert not world.sessions.get(THREAD).dirty
    assert world.leases.locks[THREAD].owner == OTHER


def test_a_failure_of_another_run_leaves_the_threads_lease_and_parked_mark_alone() -> None:
    world = World()
    run = _failed(world)
    world.leases.release(THREAD, EXECUTION)
    world.leases.acquire(THREAD, OTHER)
    world.sessions.update(THREAD, parked=OTHER)
    world.fail().run_failed(run)
    assert world.leases.holder(THREAD) == OTHER
    assert world.sessions.get(THREAD).parked == OTHER


def test_a_failure_that_comes_with_the_first_input_is_told_where_the_run_really_was() -> None:
    """An event about the execution's status carries the state it began with."""
    world = World()
    began = world.requested()
    run = world.working()
    world.executions.update(EXECUTION, turns=4, manifest_id=run.manifest_id)
    world.fail().run_failed(replace(began, failure=StepFailure("TIMED_OUT")))
    sent = world.discord.with_nonce(f"{EXECUTION}/end/0")
    assert sent.channel == ChannelId(THREAD)
    assert "the work of 4 turns is kept" in sent.post.content
    assert world.discord.with_nonce(f"{EXECUTION}/card").post.embeds[0].title == "❌ Failed"


def test_a_run_that_failed_before_it_had_a_thread_is_told_about_where_it_was_asked_for() -> None:
    world = World()
    run = world.requested()
    world.fail().run_failed(replace(run, failure=StepFailure("Conflict")))
    assert world.discord.with_nonce(f"{EXECUTION}/end/0").channel == CHANNEL


def test_a_stop_that_could_only_fail_is_told_as_a_stop() -> None:
    world = World()
    world.fail().run_failed(_failed(world, error="Stopped"))
    [text] = _told(world)
    assert "Stopped" in text
    assert world.row.outcome is Outcome.STOPPED


def test_a_run_without_a_row_is_told_about_all_the_same() -> None:
    world = World()
    run = _failed(world)
    world.executions.rows.clear()
    world.fail().run_failed(run)
    world.fail().run_failed(run)
    assert len(_told(world)) == 1


def test_a_failure_that_dies_anywhere_is_told_once_and_frees_the_thread() -> None:
    world = World()
    run = _failed(world)
    with world.effects.watch(moments := Moments()):
        world.fail().run_failed(run)
    for at in range(len(moments.seen)):
        world = World()
        run = _failed(world)
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.fail().run_failed(run)
        world.fail().run_failed(run)
        assert len(_told(world)) == 1
        assert world.leases.holder(THREAD) is None
        assert world.row.terminal_message_id is not None


def test_the_thread_is_free_even_while_discord_is_away() -> None:
    world = World()
    run = _failed(world)
    for method in ("send", "edit"):
        world.discord.failures[method] = lambda: DiscordUnavailable("503")
    with pytest.raises(DiscordUnavailable):
        world.fail().run_failed(run)
    assert world.leases.holder(THREAD) is None
    world.discord.failures.clear()
    world.fail().run_failed(run)
    assert len(_told(world)) == 1


def test_a_card_that_is_gone_does_not_hinder_the_terminal_message() -> None:
    world = World()
    world.discord.failures["edit"] = lambda: DiscordRefused("Unknown Message", status=404)
    world.fail().run_failed(_failed(world))
    assert len(_told(world)) == 1
    assert len(world.audit.of("card_refused")) == 1


def _committed(world: World) -> RunState:
    base = world.repositories.begin({"a": b"1"})
    commit = Commit(base, "token-login", "Add token login", ("auth.py",), base)
    return _failed(world, error="RepositoryRefused", commit=commit, outcome=Outcome.DONE, next=Next.END)


def test_a_finish_that_failed_before_its_message_ends_the_run_as_failed() -> None:
    world = World()
    world.fail().run_failed(_committed(world))
    [text] = _told(world)
    assert "Failed" in text
    assert "branch `token-login`" in text
    assert world.leases.holder(THREAD) is None


def test_a_decision_that_failed_after_the_terminal_message_is_told_beside_it() -> None:
    world = World()
    run = _committed(world)
    world.executions.end(EXECUTION, Outcome.DONE)
    world.executions.ended(EXECUTION, MessageId("1"))
    world.leases.release(THREAD, EXECUTION)
    world.leases.acquire(THREAD, ExecutionId(f"{EXECUTION}-approval"))
    world.fail().run_failed(run)
    world.fail().run_failed(run)
    assert _told(world) == []
    told = world.discord.with_nonce(f"{EXECUTION}/decision-failed").post.content
    assert "could not be carried out" in told
    assert "`token-login` is kept" in told
    assert world.leases.holder(THREAD) is None
    assert world.row.outcome is Outcome.DONE


def test_a_run_stopped_from_outside_ends_with_what_it_had_reached() -> None:
    world = World()
    began = world.requested()
    run = world.working()
    world.plays(calls(("write_file", {"path": "a.py", "content": "1"})), says("More to do."))
    world.turn()(run)
    world.fail().run_failed(replace(began, failure=StepFailure("ABORTED")))
    [text] = _told(world)
    assert "the work of 1 turn is kept in this thread's workspace (1 changed file)" in text
    card = world.discord.with_nonce(f"{EXECUTION}/card").post
    assert "Turn 1/20" in card.embeds[0].description
    assert "a.py" in card.embeds[0].description


def test_a_commit_that_nobody_decided_on_goes_on_waiting_when_its_machine_was_stopped() -> None:
    world = World()
    run = _committed(world)
    assert run.commit is not None
    world.executions.end(EXECUTION, Outcome.DONE)
    world.executions.ended(EXECUTION, MessageId("1"))
    world.executions.await_decision(EXECUTION, Approval(run.commit, MessageId("1"), "token"))
    sent = len(world.discord.sent)
    world.fail().decision_failed(run)
    assert len(world.discord.sent) == sent
    assert len(world.audit.of("decision_failed")) == 1
    assert world.row.approval is not None
    assert world.row.approval.decision is None


def test_a_finish_that_failed_after_its_message_leaves_no_lease() -> None:
    world = World()
    run = _failed(world)
    world.executions.end(EXECUTION, Outcome.DONE)
    world.executions.ended(EXECUTION, MessageId("1"))
    world.fail().run_failed(run)
    assert world.leases.holder(THREAD) is None
    assert world.discord.texts(THREAD) == ["card"]


def _message(*, mentions_bot: bool) -> InboundMessage:
    return InboundMessage(MESSAGE, CHANNEL, None, Author(ADA, "Ada"), "do it", mentions_bot=mentions_bot)


def test_a_lost_message_is_told_to_its_author_once() -> None:
    world = World()
    world.fail().message_lost(_message(mentions_bot=True))
    world.fail().message_lost(_message(mentions_bot=True))
    [sent] = world.discord.sent.values()
    assert (sent.channel, sent.post.reply_to) == (CHANNEL, MESSAGE)
    assert "could not process this message" in sent.post.content


def test_a_lost_message_that_was_not_meant_for_the_bot_is_only_recorded() -> None:
    world = World()
    world.fail().message_lost(_message(mentions_bot=False))
    assert world.discord.sent == {}
    assert len(world.audit.of("message_failed")) == 1


def test_a_lost_message_in_a_thread_the_bot_works_in_is_told() -> None:
    world = World()
    world.requested()
    world.fail().message_lost(_message(mentions_bot=False))
    assert len(world.discord.sent) == 1


def _request(author: str, number: int, *, forced: bool) -> InboxItem:
    return InboxItem(
        ThreadId(CHANNEL), MessageId(f"31{number:016d}"), ADA if author == "Ada" else BOB, author, "do it",
        ItemKind.REQUEST, World().clock.now(), forced=forced,
    )  # fmt: skip


def test_a_lost_wakeup_takes_its_authors_requests_out_of_the_queue_and_says_so() -> None:
    world = World()
    mine, also_mine = _request("Ada", 1, forced=True), _request("Ada", 2, forced=False)
    theirs = _request("Bob", 3, forced=True)
    for item in (mine, also_mine, theirs):
        world.sessions.put(item)
    world.fail().wakeup_lost(ThreadId(CHANNEL), ADA, also_mine.message_id)
    assert list(world.sessions.inbox.values()) == [theirs]
    [sent] = world.discord.sent.values()
    assert sent.channel == CHANNEL


def test_a_lost_wakeup_for_unforced_messages_is_only_recorded() -> None:
    world = World()
    item = _request("Ada", 1, forced=False)
    world.sessions.put(item)
    world.fail().wakeup_lost(ThreadId(CHANNEL), ADA, item.message_id)
    assert world.discord.sent == {}
    assert world.sessions.inbox == {}
    assert len(world.audit.of("wakeup_failed")) == 1


def test_a_lost_wakeup_is_charged_what_its_attempts_had_set_aside() -> None:
    world = World()
    item = _request("Ada", 1, forced=True)
    execution = execution_for_message(item.message_id)
    _set_aside(world, execution, Purpose.DECIDE)
    world.fail().wakeup_lost(ThreadId(CHANNEL), ADA, item.message_id)
    assert world.budgets.open_slices(execution) == ()
    assert world.budgets.spent(execution).estimated > Usd()


def test_a_failed_run_costs_what_was_settled_and_what_its_dead_step_had_set_aside() -> None:
    world = World()
    run = _failed(world)
    with world.spending.purse(payer_of(run), Purpose.PLAN, "1") as purse:
        world.plays(says("a plan"), purpose=Purpose.PLAN)
        purse.complete(ModelRequest(Purpose.PLAN, LADDER[0], (Message(Role.USER, "plan"),)))
    _set_aside(world, EXECUTION, Purpose.TURN)
    for _ in range(2):
        world.fail().run_failed(run)
    settled = world.row.cost
    assert (settled.known, settled.estimated > Usd()) == (PRICE.known, True)
    assert world.budgets.open_slices(EXECUTION) == ()
    [text] = _told(world)
    assert f"Cost: $0.0100 + ≈ {settled.estimated}" in text


def _set_aside(world: World, execution: ExecutionId, purpose: Purpose) -> None:
    """As a step leaves it that died in the middle of a call."""
    purse = world.spending.purse(Payer(execution, ADA), purpose, "2")
    with pytest.raises(Death), world.effects.watch(lambda moment: die(moment) if "model.complete" in moment else None):
        purse.complete(ModelRequest(purpose, LADDER[0], (Message(Role.USER, "hi"),)))


def test_another_lost_event_is_told_only_where_the_bot_takes_part() -> None:
    world = World()
    body = {"event": "MESSAGE_REACTION_ADD", "data": {"channel_id": CHANNEL, "emoji": {"name": "👍"}}}
    world.fail().event_lost(body)
    assert world.discord.sent == {}
    world.requested()
    world.fail().event_lost(body)
    world.fail().event_lost(body)
    assert len(world.discord.sent) == 1


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"channel_id": "../x"}}, {"data": {"channel_id": 7}}])
def test_an_event_that_names_no_channel_is_only_recorded(body: dict[str, object]) -> None:
    world = World()
    world.fail().event_lost(body)
    assert world.discord.sent == {}
    assert len(world.audit.of("event_failed")) == 1


def test_a_wake_up_that_was_lost_takes_nothing_from_the_one_of_a_newer_message() -> None:
    world = World()
    for number, text in ((1, "old"), (2, "new")):
        world.sessions.put(
            InboxItem(
                ThreadId(CHANNEL), MessageId(f"60000000000000000{number}"), ADA, "Ada", text, ItemKind.REQUEST,
                world.clock.now(), forced=True,
            )
        )  # fmt: skip
    world.fail().wakeup_lost(ThreadId(CHANNEL), ADA, MessageId("600000000000000001"))
    assert [item.content for item in world.sessions.waiting(ThreadId(CHANNEL), ItemKind.REQUEST)] == ["old", "new"]
    assert not world.discord.sent
