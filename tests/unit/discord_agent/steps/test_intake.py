from collections.abc import Callable
from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain import cards, memory
from discord_agent.domain.controls import Action
from discord_agent.domain.errors import DiscordRefused
from discord_agent.domain.ids import (
    ChannelId,
    CommitSha,
    ExecutionId,
    MessageId,
    ModelName,
    ThreadId,
    UserId,
    choice_of,
)
from discord_agent.domain.inbound import (
    Attachment,
    Author,
    ButtonPressed,
    CommandInvoked,
    Inbound,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    Reaction,
    ThreadDeleted,
)
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.memory import Insight
from discord_agent.domain.options import Option
from discord_agent.domain.policy import Action as PolicyAction
from discord_agent.domain.policy import GuildSettings, People, Permit
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Commit, Outcome, RunState, Waiting
from discord_agent.domain.session import Approval, Decision, ExecutionStatus, InboxItem, ItemKind, Objection
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER
from tests.support.fakes.world import (
    ADA,
    BOB,
    BOT,
    CHANNEL,
    DEPLOYMENT,
    EXECUTION,
    GUILD,
    MESSAGE,
    REQUEST,
    THREAD,
    World,
)

LATER = MessageId("600000000000000001")
HERE = ThreadId(CHANNEL)
SHA = CommitSha("a" * 40)


def _message(text: str, channel: str = CHANNEL, *, by: UserId = ADA, message: MessageId = MESSAGE) -> InboundMessage:
    return InboundMessage(message, ChannelId(channel), GUILD, Author(by, "Ada"), text, mentions_bot=True)


def _reaction(emoji: str, on: MessageId, *, by: UserId = ADA, added: bool = True) -> Reaction:
    return Reaction(emoji, on, ChannelId(THREAD), GUILD, Author(by, "Ada"), added, BOT if added else None)


def _press(
    action: Action, argument: str = "", *, by: UserId = ADA, execution: ExecutionId = EXECUTION
) -> ButtonPressed:
    author = Author(by, "Ada")
    return ButtonPressed("7", "token", "9", action, execution, LATER, ChannelId(THREAD), GUILD, author, argument)


def _fresh() -> World:
    """A world in which the request was just written."""
    world = World()
    asked = (int(MESSAGE) >> 22) + 1_420_070_400_000
    world.clock.pass_by(timedelta(milliseconds=asked) - timedelta(seconds=world.clock.now().timestamp()))
    return world


def _parked(world: World) -> None:
    world.working()
    world.executions.park(EXECUTION, "token", "Which key?")
    world.sessions.update(THREAD, parked=EXECUTION)
    world.leases.release(THREAD, EXECUTION)
    world.machines.waiting.add("token")


def _committed(world: World) -> MessageId:
    """A run that ended and whose commit waits for a decision; the message of its card."""
    world.working()
    commit = Commit(SHA, "token-login", "Log in", ("auth.py",), CommitSha("b" * 40))
    embeds, buttons = cards.commit_card(EXECUTION, commit)
    card = world.discord.send(ChannelId(THREAD), Post("Done.", embeds, buttons), nonce=f"{EXECUTION}/end/0")
    world.executions.end(EXECUTION, Outcome.DONE)
    world.executions.ended(EXECUTION, card)
    world.executions.await_decision(EXECUTION, Approval(commit, card, "decision-token"))
    world.machines.waiting.add("decision-token")
    world.sessions.update(THREAD, pending=commit)
    world.leases.release(THREAD, EXECUTION)
    return card


def _failed(world: World) -> None:
    world.working()
    world.executions.end(EXECUTION, Outcome.FAILED)
    world.executions.ended(EXECUTION, LATER)
    world.leases.release(THREAD, EXECUTION)


def _waiting(world: World, thread: ThreadId, kind: ItemKind) -> list[str]:
    return [item.content for item in world.sessions.waiting(thread, kind)]


def test_a_request_is_seen_at_once_queued_and_classified_after_the_debounce() -> None:
    world = _fresh()
    world.intake()(_message(REQUEST))
    assert world.discord.reactions[MESSAGE, "👀"] == 1
    assert _waiting(world, HERE, ItemKind.REQUEST) == [REQUEST]
    assert world.wakeups.scheduled == [(HERE, ADA, MESSAGE, DEPLOYMENT.debounce)]


@pytest.mark.parametrize(("text", "named"), [("@opus why?", True), (REQUEST, False)])
def test_a_request_that_names_a_model_waits_with_the_word_that_its_author_may(text: str, named: bool) -> None:
    world = _fresh()
    permit = Permit(PolicyAction.BREAKGLASS, People(users=(ADA,)))
    world.sessions.put_settings(GUILD, GuildSettings(permits=(permit,)))
    world.intake()(_message(text))
    [item] = world.sessions.waiting(HERE, ItemKind.REQUEST)
    assert item.breakglass is named


def test_whoever_may_not_name_a_model_is_told_and_nothing_waits() -> None:
    world = _fresh()
    world.intake()(_message("@opus why?"))
    assert _waiting(world, HERE, ItemKind.REQUEST) == []
    assert world.audit.of("refused")[0].actor == ADA


def test_a_request_that_is_delivered_again_after_it_was_taken_up_waits_no_more() -> None:
    world = _fresh()
    world.intake()(_message(REQUEST))
    world.sessions.remove(world.sessions.waiting(HERE, ItemKind.REQUEST))
    world.intake()(_message(REQUEST))
    assert _waiting(world, HERE, ItemKind.REQUEST) == []


def test_a_message_that_is_gone_needs_no_sign() -> None:
    world = _fresh()
    world.discord.failures["react"] = lambda: DiscordRefused("Unknown Message", status=404, code=10008)
    world.intake()(_message(REQUEST))
    assert len(world.wakeups.scheduled) == 1


def test_what_is_written_while_a_run_works_is_for_that_run() -> None:
    world = World()
    world.working()
    world.intake()(_message("use RS256", THREAD, by=BOB, message=LATER))
    assert _waiting(world, THREAD, ItemKind.STEER) == ["use RS256"]
    assert world.discord.reactions[LATER, "👀"] == 1
    assert world.wakeups.scheduled == []


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        (_message("the new one", THREAD, by=BOB, message=LATER), "the new one"),
        (_press(Action.ANSWER, "1. new"), "1. new"),
        (_press(Action.CONTINUE), "Continue as you think best."),
    ],
)
def test_an_answer_is_in_the_inbox_before_the_parked_run_is_woken(
    event: InboundMessage | ButtonPressed, answer: str
) -> None:
    world = World()
    _parked(world)
    world.intake()(event)
    names = world.effects.names
    assert names.index("sessions.put") < names.index("machines.succeed")
    assert _waiting(world, THREAD, ItemKind.STEER) == [answer]
    assert world.machines.answered == {"token": {}}


def test_a_second_answer_is_heard_too_and_wakes_nobody() -> None:
    world = World()
    _parked(world)
    world.intake()(_message("the new one", THREAD, message=LATER))
    world.intake()(_message("no, the old one", THREAD, message=MessageId("600000000000000002")))
    assert _waiting(world, THREAD, ItemKind.STEER) == ["the new one", "no, the old one"]
    assert world.effects.names.count("machines.succeed") == 1


def test_a_stop_sets_the_flag_leaves_the_marker_and_is_told_once() -> None:
    world = World()
    run = world.working()
    assert run.card_message_id is not None
    for _ in range(2):
        world.intake()(_reaction("🛑", run.card_message_id))
    assert world.row.stop_requested_by == ADA
    assert world.markers.left == {(THREAD, EXECUTION)}
    assert world.discord.with_nonce(f"{EXECUTION}/stop-notice").post.content == cards.STOP_NOTICE
    assert len(world.audit.of("stop_requested")) == 1


@pytest.mark.parametrize("says", ["stop", "<@800000000000000008> STOP!"])
def test_a_stop_before_anything_began_takes_the_persons_requests_back(says: str) -> None:
    world = _fresh()
    world.intake()(_message(REQUEST))
    world.intake()(_message("And mine", by=BOB, message=MessageId(str(int(MESSAGE) + 1))))
    world.intake()(_message(says, message=MessageId(str(int(MESSAGE) + 2))))
    assert _waiting(world, HERE, ItemKind.REQUEST) == ["And mine"]
    assert world.discord.reactions[MessageId(str(int(MESSAGE) + 2)), "👀"] == 1
    assert [row.actor for row in world.audit.of("withdrawn")] == [ADA]


def test_a_stop_sign_that_overtakes_its_request_leaves_a_tombstone() -> None:
    world = _fresh()
    here = replace(_reaction("🛑", MESSAGE), channel_id=CHANNEL, message_author_id=ADA)
    world.intake()(here)
    world.intake()(_message(REQUEST))
    assert _waiting(world, HERE, ItemKind.REQUEST) == []


def test_a_stop_reaches_a_run_that_was_started_but_does_not_hold_its_thread_yet() -> None:
    world = _fresh()
    world.requested()
    world.intake()(_message("stop", message=MessageId(str(int(MESSAGE) + 1))))
    assert world.row.stop_requested_by == ADA


def test_a_stop_where_there_is_nothing_to_stop_says_so_and_starts_nothing() -> None:
    world = _fresh()
    world.intake()(_message("stop"))
    assert world.discord.with_nonce(f"m-{MESSAGE}/refused").post.content == "There is nothing to stop here."
    assert world.wakeups.scheduled == []


def test_a_request_that_begins_with_stop_is_a_request() -> None:
    world = _fresh()
    world.intake()(_message("stop nginx on staging"))
    assert len(world.wakeups.scheduled) == 1


def test_a_stop_ends_a_parked_run_by_its_token() -> None:
    world = World()
    _parked(world)
    world.intake()(_message("stop", THREAD, message=LATER))
    assert world.row.stop_requested_by == ADA
    assert world.machines.answered == {"token": {}}


@pytest.mark.parametrize(("emoji", "decision"), [("👍", Decision.MERGE), ("👎", Decision.REJECT)])
def test_a_decision_is_recorded_and_told_to_the_machine_with_whose_it_was(emoji: str, decision: Decision) -> None:
    world = World()
    card = _committed(world)
    world.intake()(_reaction(emoji, card))
    assert world.row.approval is not None
    assert (world.row.approval.decision, world.row.approval.decided_by) == (decision, ADA)
    assert world.machines.answered == {"decision-token": {"decision": decision, "by": ADA}}


def test_a_decision_at_the_moment_in_which_its_machine_begins_to_wait_reaches_the_machine() -> None:
    world = World()
    card = _committed(world)
    waiting = world.row.approval
    assert waiting is not None
    world.executions.rows[EXECUTION] = replace(world.row, approval=replace(waiting, task_token=""))

    def begin_to_wait(moment: str) -> None:
        if moment == "before executions.decide":
            world.executions.rows[EXECUTION] = replace(world.row, approval=waiting)

    with world.effects.watch(begin_to_wait):
        world.intake()(_reaction("👍", card))
    assert world.machines.answered == {"decision-token": {"decision": Decision.MERGE, "by": ADA}}


def test_only_the_first_decision_counts() -> None:
    world = World()
    card = _committed(world)
    world.intake()(_reaction("👍", card))
    world.intake()(_reaction("👎", card))
    assert world.row.approval is not None
    assert world.row.approval.decision is Decision.MERGE
    assert len(world.machines.answered) == 1


def test_a_button_with_an_old_hash_shows_the_card_again_and_decides_nothing() -> None:
    world = World()
    card = _committed(world)
    world.intake()(_press(Action.MERGE, "b" * 40))
    assert "out of date" in world.discord.answers[0][1].content
    assert world.discord.sent[card].edits == 1
    assert not world.machines.answered


def test_a_failed_run_is_started_anew_under_a_name_of_its_own() -> None:
    world = World()
    _failed(world)
    world.intake()(_press(Action.RETRY, by=BOB))
    again = ExecutionId(f"{EXECUTION}-r1")
    row = world.executions.rows[again]
    assert (row.request, row.author_id, row.status) == (REQUEST, BOB, ExecutionStatus.PENDING)
    assert (row.outcome, row.terminal_message_id, row.card_message_id, row.turns) == (None, None, None, 0)
    assert list(world.machines.started) == [("sequential_thinking", again)]


def test_a_bare_word_in_the_thread_of_a_failed_run_starts_it_anew() -> None:
    world = World()
    _failed(world)
    since_discord_began = int(world.clock.now().timestamp() * 1000) - 1_420_070_400_000
    world.intake()(_message("continue", THREAD, message=MessageId(str(since_discord_began << 22))))
    assert list(world.machines.started) == [("sequential_thinking", ExecutionId(f"{EXECUTION}-r1"))]
    assert _waiting(world, THREAD, ItemKind.REQUEST) == []


def test_a_decision_that_was_carried_out_is_not_carried_out_again() -> None:
    world = World()
    card = _committed(world)
    world.intake()(_reaction("👍", card))
    world.sessions.update(THREAD, pending=None)
    world.clock.pass_by(timedelta(minutes=3))
    world.intake()(_reaction("👍", card))
    assert len(world.machines.answered) == 1
    assert not world.machines.started


def test_a_run_is_tried_again_once_however_often_somebody_asks() -> None:
    world = World()
    _failed(world)
    for person in (ADA, BOB):
        world.intake()(_press(Action.RETRY, by=person))
    again = ExecutionId(f"{EXECUTION}-r1")
    assert list(world.machines.started) == [("sequential_thinking", again)]

    world.executions.end(again, Outcome.FAILED)
    world.intake()(_press(Action.RETRY))
    assert "tried again already" in world.discord.answers[-1][1].content
    world.intake()(_press(Action.RETRY, execution=again))
    assert list(world.machines.started)[1:] == [("sequential_thinking", ExecutionId(f"{EXECUTION}-r2"))]


def test_a_request_that_waited_too_long_is_offered_and_taken_up_when_wanted() -> None:
    world = _fresh()
    world.clock.pass_by(timedelta(minutes=31))
    world.intake()(_message(REQUEST))
    offer = ExecutionId(f"offer-{EXECUTION}")
    assert world.discord.with_nonce(f"{offer}/offer").post.reply_to == MESSAGE
    assert world.wakeups.scheduled == []

    world.intake()(replace(_press(Action.RETRY, execution=offer), channel_id=CHANNEL))
    assert _waiting(world, HERE, ItemKind.REQUEST) == [REQUEST]
    assert world.wakeups.scheduled == [(HERE, ADA, MESSAGE, timedelta(0))]


def test_a_thumb_on_any_other_message_of_the_bot_moves_the_threads_confidence_and_back() -> None:
    world = World()
    world.working()
    world.intake()(_reaction("👎", LATER, by=BOB))
    assert world.sessions.get(THREAD).confidence == 60
    world.intake()(_reaction("👎", LATER, by=BOB, added=False))
    assert world.sessions.get(THREAD).confidence == 80
    assert [row.details["value"] for row in world.audit.of("vote")] == [-20, 0]


def test_a_queued_message_follows_its_edits_and_goes_with_its_deletion() -> None:
    world = _fresh()
    world.intake()(_message("Add a login"))
    world.intake()(MessageEdited(MESSAGE, CHANNEL, "Add a logout"))
    assert _waiting(world, HERE, ItemKind.REQUEST) == ["Add a logout"]
    world.intake()(MessageDeleted(MESSAGE, CHANNEL))
    assert _waiting(world, HERE, ItemKind.REQUEST) == []


def test_a_deleted_thread_stops_its_run_says_nothing_and_is_forgotten() -> None:
    world = World()
    world.working()
    world.intake()(ThreadDeleted(THREAD, GUILD))
    assert world.row.stop_requested_by == BOT
    assert world.sessions.get(THREAD).base is None
    assert world.workspaces.head(THREAD) is None
    assert "discord.send" not in world.effects.names
    assert len(world.audit.of("thread_deleted")) == 1


def test_a_refused_reaction_says_whom_it_refuses() -> None:
    world = World()
    card = _committed(world)
    world.intake()(_reaction("👍", card, by=BOB))
    [sentence] = [text for text in world.discord.texts(THREAD) if "may decide" in text]
    assert sentence.startswith(f"<@{BOB}> Only the person who asked")


def test_whoever_is_refused_is_told_where_only_they_see_it_if_that_is_possible() -> None:
    world = _fresh()
    world.sessions.put_settings(GUILD, GuildSettings(blocked=People(users=(BOB,))))
    world.intake()(_message(REQUEST, by=BOB))
    [refused] = [sent for sent in world.discord.sent.values() if sent.nonce == f"m-{MESSAGE}/refused"]
    assert (refused.post.content, refused.post.reply_to) == ("You are blocked from using this bot here.", MESSAGE)

    world.intake()(CommandInvoked("7", "token", "9", "nonsense", (), CHANNEL, GUILD, Author(ADA, "Ada")))
    assert world.discord.fulfilled["token"].content == "I do not know the command /nonsense."
    assert len(world.audit.of("refused")) == 2


def _stopping() -> tuple[World, Inbound]:
    world = World()
    _parked(world)
    return world, _reaction("🛑", MessageId(str(world.row.card_message_id)))


def _merging() -> tuple[World, Inbound]:
    world = World()
    return world, _reaction("👍", _committed(world))


def _retrying() -> tuple[World, Inbound]:
    world = World()
    _failed(world)
    return world, _press(Action.RETRY)


def _steering() -> tuple[World, Inbound]:
    world = World()
    run = world.working()
    return world, _reaction("👎", MessageId(str(run.card_message_id)), by=BOB)


def _answering() -> tuple[World, Inbound]:
    world = World()
    _parked(world)
    return world, _message("escalate, this needs care", THREAD, by=BOB, message=LATER)


def _rejecting() -> tuple[World, Inbound]:
    world = World()
    return world, _reaction("👎", _committed(world))


def _extending() -> tuple[World, Inbound]:
    world = World()
    _parked(world)
    world.executions.update(EXECUTION, waiting=Waiting.MONEY)
    world.sessions.put_settings(GUILD, GuildSettings(permits=(Permit(PolicyAction.SPEND, People(users=(ADA,))),)))
    return world, _press(Action.EXTEND)


def _choosing() -> tuple[World, Inbound]:
    world = World()
    _failed(world)
    world.executions.update(EXECUTION, options=(Option("A", ""), Option("B", "")))
    return world, _press(Action.CHOOSE, "1")


def _withdrawing() -> tuple[World, Inbound]:
    world = _fresh()
    world.requested()
    world.intake()(_message(REQUEST))
    return world, _message("stop", message=MessageId(str(int(MESSAGE) + 1)))


def _reached(world: World) -> tuple[object, ...]:
    """What an event came to, as far as machines and later steps can tell."""
    waiting = {
        (thread, kind): [
            (item.message_id, item.content, item.interrupt) for item in world.sessions.waiting(thread, kind)
        ]
        for thread in (HERE, THREAD)
        for kind in ItemKind
    }
    session = world.sessions.get(THREAD)
    objection = session.rejection and session.rejection.by
    rows = {name: (row.stop_requested_by, row.stronger_than) for name, row in world.executions.rows.items()}
    return world.machines.answered, list(world.machines.started), rows, waiting, session.confidence, objection


_SCENES = (
    _stopping, _merging, _retrying, _steering, _answering, _rejecting, _extending, _choosing, _withdrawing
)  # fmt: skip


@pytest.mark.parametrize("scene", _SCENES)
def test_what_a_dying_attempt_began_the_next_one_completes(scene: Callable[[], tuple[World, Inbound]]) -> None:
    world, event = scene()
    with world.effects.watch(moments := Moments()):
        world.intake()(event)
    expected = _reached(world)
    assert moments.seen
    for at in range(len(moments.seen)):
        world, event = scene()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.intake()(event)
        # A queue delivers again after its visibility timeout; a machine that was answered is through by then.
        world.clock.pass_by(timedelta(minutes=3))
        if world.machines.answered:
            world.sessions.update(THREAD, pending=None)
        world.intake()(event)
        assert _reached(world) == expected, moments.seen[at]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (_message("Wrong: use the other file", THREAD, by=BOB, message=LATER), "use the other file"),
        (_reaction("❌", LATER, by=BOB), ""),
    ],
)
def test_an_interrupt_waits_for_the_runs_next_round_once_and_is_acknowledged(
    event: InboundMessage | Reaction, text: str
) -> None:
    world = World()
    world.working()
    for _ in range(2):
        world.intake()(event)
    [item] = world.sessions.waiting(THREAD, ItemKind.STEER)
    assert (item.content, item.interrupting(EXECUTION), item.author_id) == (text, Interrupt.WRONG, BOB)
    assert item.interrupting(ExecutionId("m-1")) is None
    assert world.discord.reactions[LATER, "👀"] == 1
    assert {(row.actor, row.details["interrupt"]) for row in world.audit.of("steer")} == {(BOB, Interrupt.WRONG)}


@pytest.mark.parametrize(("scene", "text"), [("working", "wrong, look here"), ("parked", "look here")])
def test_files_that_come_with_an_interrupt_or_an_answer_are_not_lost(scene: str, text: str) -> None:
    world = World()
    _parked(world) if scene == "parked" else world.working()
    picture = Attachment("1", "a.png", "https://cdn.discordapp.com/a.png", 5, "image/png")
    world.intake()(replace(_message(text, THREAD, by=BOB, message=LATER), attachments=(picture,)))
    assert [item.attachments for item in world.sessions.waiting(THREAD, ItemKind.STEER)] == [(picture,)]


def test_a_button_that_steers_is_answered_where_only_its_person_sees_it() -> None:
    world = World()
    world.working()
    world.intake()(_press(Action.STRONGER))
    [item] = world.sessions.waiting(THREAD, ItemKind.STEER)
    assert item.interrupting(EXECUTION) is Interrupt.ESCALATE
    assert world.discord.answers[0][1].content == "Noted: the run hears it before its next step."


def test_a_thumb_down_about_a_run_at_work_votes_and_tells_it_that_it_is_wrong() -> None:
    world = World()
    run = world.working()
    assert run.card_message_id is not None
    for _ in range(2):
        world.intake()(_reaction("👎", run.card_message_id, by=BOB))
    assert world.sessions.get(THREAD).confidence == 60
    assert [item.interrupt for item in world.sessions.waiting(THREAD, ItemKind.STEER)] == [Interrupt.WRONG]


def test_a_thumb_down_about_an_ended_run_is_kept_as_evidence_until_it_is_taken_back() -> None:
    world = World()
    _failed(world)
    card = MessageId(str(world.row.card_message_id))
    world.intake()(_reaction("👎", card, by=BOB))
    assert world.sessions.get(THREAD).dislike == Objection(EXECUTION, BOB, world.clock.now())
    world.intake()(_reaction("👎", card, by=BOB, added=False))
    assert world.sessions.get(THREAD).dislike is None


def test_whoever_rejects_a_commit_is_asked_why_and_their_next_words_are_kept_and_taken_up() -> None:
    world = World()
    card = _committed(world)
    world.intake()(_reaction("👎", card))
    assert world.sessions.get(THREAD).rejection == Objection(EXECUTION, ADA, world.clock.now())
    asked = world.discord.with_nonce(f"{EXECUTION}/rejected").post.content
    assert asked.startswith(f"<@{ADA}> What was wrong")

    world.intake()(_message("not my reason", THREAD, by=BOB, message=LATER))
    for number, text in ((2, "the tests are missing"), (3, "and be quick")):
        world.intake()(_message(text, THREAD, message=MessageId(f"60000000000000000{number}")))
    rejection = world.sessions.get(THREAD).rejection
    assert rejection is not None
    assert rejection.reason == "the tests are missing"
    assert len(world.audit.of("rejection_reason")) == 1


def test_a_failed_run_is_tried_again_with_a_stronger_model_than_it_came_to() -> None:
    world = World()
    run = world.working()
    world.executions.update(EXECUTION, reached=replace(run, model=LADDER[1]))
    world.executions.end(EXECUTION, Outcome.FAILED)
    world.executions.ended(EXECUTION, LATER)
    world.leases.release(THREAD, EXECUTION)
    world.intake()(_press(Action.STRONGER))
    again = ExecutionId(f"{EXECUTION}-r1")
    started = world.machines.started["sequential_thinking", again]
    assert isinstance(started, RunState)
    assert (started.model, started.wants_stronger) == (LADDER[1], True)
    row = world.executions.rows[again]
    assert (row.stronger_than, row.reasons.model) == (
        LADDER[1],
        "a stronger model than that of the last try was asked for",
    )


@pytest.mark.parametrize(("worked", "expected"), [(False, LADDER[0]), (True, None)])
def test_a_wish_for_a_stronger_model_holds_until_a_try_worked_with_one(
    worked: bool, expected: ModelName | None
) -> None:
    world = World()
    run = world.working()
    reached = replace(run, turn=1, model=LADDER[1]) if worked else None
    world.executions.update(EXECUTION, stronger_than=LADDER[0], reached=reached)
    world.executions.end(EXECUTION, Outcome.FAILED)
    world.executions.ended(EXECUTION, LATER)
    world.leases.release(THREAD, EXECUTION)
    world.intake()(_press(Action.RETRY))
    assert world.executions.rows[ExecutionId(f"{EXECUTION}-r1")].stronger_than == expected


def test_a_run_that_lacks_money_goes_on_once_its_budget_is_extended() -> None:
    world = World()
    _parked(world)
    world.executions.update(EXECUTION, waiting=Waiting.MONEY)
    world.sessions.put_settings(GUILD, GuildSettings(permits=(Permit(PolicyAction.SPEND, People(users=(ADA,))),)))
    world.intake()(_message("go on", THREAD, message=LATER))
    assert world.machines.answered == {}
    world.intake()(_press(Action.EXTEND))
    assert world.machines.answered == {"token": {}}
    assert world.discord.answers[-1][1].content == "The budget is extended."


def test_what_cannot_be_done_is_told_with_its_reason() -> None:
    world = World()
    _failed(world)
    world.intake()(_press(Action.FORGET, "nothing"))
    world.intake()(_press(Action.REWIND, "0"))
    told = [post.content for _, post, _ in world.discord.answers]
    assert told[0] == "This is forgotten already."
    assert len(told) == 2


def test_what_a_run_taught_is_forgotten_by_its_button() -> None:
    world = World()
    _failed(world)
    shelf = memory.shelf(GUILD, THREAD)
    lesson = Insight("a1b2", "Run the linter first", world.clock.now(), THREAD, EXECUTION, ADA)
    world.insights.learn(shelf, lesson)
    world.intake()(_press(Action.FORGET, "a1b2"))
    assert world.insights.list(shelf) == ()
    assert world.discord.answers[-1][1].content == "Forgotten."


def test_a_chosen_option_is_carried_out_by_a_run_of_its_own_once() -> None:
    world = World()
    _failed(world)
    world.executions.update(EXECUTION, options=(Option("A", "as it was"), Option("B", "anew")))
    for _ in range(2):
        world.intake()(_press(Action.CHOOSE, "2", by=BOB))
    chosen = choice_of(EXECUTION, 2)
    assert list(world.machines.started) == [("sequential_thinking", chosen)]
    assert world.executions.rows[chosen].author_id == BOB


def test_an_answer_from_the_inbox_carries_who_gave_it() -> None:
    world = World()
    _parked(world)
    world.intake()(_message("the new one", THREAD, by=BOB, message=LATER))
    assert world.sessions.waiting(THREAD, ItemKind.STEER) == (
        InboxItem(THREAD, LATER, BOB, "Ada", "the new one", ItemKind.STEER, world.clock.now()),
    )
