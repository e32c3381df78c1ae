from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from discord_agent.domain.actions import (
    Action,
    Answer,
    Decide,
    Ignore,
    Refuse,
    Reshow,
    Restart,
    Situation,
    Stop,
    Vote,
)
from discord_agent.domain.classification import Classification, FlowType
from discord_agent.domain.controlling import GO_ON
from discord_agent.domain.controls import Action as Control
from discord_agent.domain.ids import ChannelId, CommitSha, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import Author, ButtonPressed, Reaction
from discord_agent.domain.intake import decide
from discord_agent.domain.policy import MANAGE_GUILD, GuildSettings, Place
from discord_agent.domain.run import Commit, Outcome
from discord_agent.domain.session import Approval, Decision, ExecutionRecord

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
BOT, ANN, BOB = UserId("1"), UserId("2"), UserId("3")
THREAD, CHANNEL, GUILD = ChannelId("50"), ChannelId("40"), GuildId("30")
ASKED, CARD, ENDING, OTHER = MessageId("100"), MessageId("110"), MessageId("120"), MessageId("130")
SHA = CommitSha("a" * 40)

RUN = ExecutionRecord(
    ExecutionId("m-100"),
    ThreadId(THREAD),
    CHANNEL,
    ASKED,
    ANN,
    "ann",
    FlowType.SEQUENTIAL,
    "fix the login",
    NOW,
    card_message_id=CARD,
    classification=Classification(should_respond=True, reason=""),
)
DONE = replace(
    RUN,
    outcome=Outcome.DONE,
    completed_at=NOW,
    terminal_message_id=ENDING,
    approval=Approval(Commit(SHA, "fix-login", "Fix", (), CommitSha("b" * 40)), ENDING),
)
STOPPED = replace(RUN, outcome=Outcome.STOPPED, completed_at=NOW, terminal_message_id=ENDING)
QUIET = Situation(
    bot_id=BOT,
    settings=GuildSettings(),
    place=Place(THREAD, GUILD, CHANNEL, is_thread=True, joined=True),
    now=NOW,
    staleness=timedelta(minutes=30),
    debounce=timedelta(seconds=2),
)
RUNNING = replace(QUIET, running=RUN, concerned=RUN)
PARKED = replace(QUIET, parked=RUN, concerned=RUN)
FINISHED = replace(QUIET, concerned=DONE)


def reaction(
    emoji: str, on: MessageId = CARD, *, by: UserId = ANN, added: bool = True, whose: UserId | None = BOT
) -> Reaction:
    return Reaction(emoji, on, THREAD, GUILD, Author(by, "someone"), added, whose)


def press(
    action: str,
    argument: str = "",
    *,
    by: UserId = ANN,
    execution: str = "m-100",
    channel: ChannelId = THREAD,
    permissions: int = 0,
) -> ButtonPressed:
    author = Author(by, "someone", permissions=permissions)
    return ButtonPressed("5", "token", "6", action, ExecutionId(execution), CARD, channel, GUILD, author, argument)


def is_refused(actions: tuple[Action, ...]) -> bool:
    return isinstance(actions[0], Refuse)


def is_ignored(actions: tuple[Action, ...]) -> bool:
    return isinstance(actions[0], Ignore) and len(actions) == 1


@pytest.mark.parametrize("event", [reaction("🛑"), press(Control.STOP)])
@pytest.mark.parametrize("situation", [RUNNING, PARKED])
def test_the_stop_button_and_the_stop_reaction_stop_the_run_of_the_card(
    event: Reaction | ButtonPressed, situation: Situation
) -> None:
    assert decide(event, situation) == (Stop(RUN.execution_id),)


def test_a_stop_on_any_message_since_the_request_stops_the_run_at_work() -> None:
    situation = replace(RUNNING, concerned=None)
    assert decide(reaction("🛑", OTHER), situation) == (Stop(RUN.execution_id),)
    assert decide(reaction("🛑", ASKED), situation) == (Stop(RUN.execution_id),)
    assert is_ignored(decide(reaction("🛑", MessageId("99")), situation))


def test_a_stop_on_the_card_of_an_ended_run_does_not_stop_the_one_at_work_now() -> None:
    newer = replace(RUN, execution_id=ExecutionId("m-200"), message_id=MessageId("200"))
    situation = replace(QUIET, running=newer, concerned=STOPPED)
    assert is_ignored(decide(reaction("🛑"), situation))
    assert decide(press(Control.STOP), situation) == (Refuse("This run has ended already."),)


def test_a_stranger_may_not_stop_and_is_told() -> None:
    told = (Refuse("Only the person who asked, moderators and those with a permit may stop this run."),)
    assert decide(reaction("🛑", by=BOB), RUNNING) == decide(press(Control.STOP, by=BOB), RUNNING) == told


@pytest.mark.parametrize(
    ("event", "decision"),
    [
        (reaction("👍", ENDING), Decision.MERGE),
        (reaction("👍🏽", ENDING), Decision.MERGE),
        (reaction("👎", ENDING), Decision.REJECT),
        (press(Control.MERGE, SHA), Decision.MERGE),
        (press(Control.REJECT, SHA), Decision.REJECT),
    ],
)
def test_a_thumb_or_button_on_the_commit_card_decides_about_exactly_this_commit(
    event: Reaction | ButtonPressed, decision: Decision
) -> None:
    assert decide(event, FINISHED) == (Decide(DONE.execution_id, SHA, decision),)


def test_a_stale_hash_is_refused_and_the_current_card_is_shown_again() -> None:
    refused, shown = decide(press(Control.MERGE, "c" * 40), FINISHED)
    assert isinstance(refused, Refuse)
    assert shown == Reshow(DONE.execution_id)


def test_only_those_who_may_approve_decide() -> None:
    assert is_refused(decide(reaction("👍", ENDING, by=BOB), FINISHED))
    assert is_refused(decide(press(Control.MERGE, SHA, by=BOB), FINISHED))
    decided = decide(press(Control.MERGE, SHA, by=BOB, permissions=MANAGE_GUILD), FINISHED)
    assert decided == (Decide(DONE.execution_id, SHA, Decision.MERGE),)


def test_a_commit_is_decided_once_and_a_decision_is_not_taken_back() -> None:
    assert DONE.approval is not None
    settled = replace(FINISHED, concerned=replace(DONE, approval=replace(DONE.approval, decision=Decision.MERGE)))
    assert is_ignored(decide(reaction("👎", ENDING), settled))
    assert is_refused(decide(press(Control.REJECT, SHA), settled))
    assert is_ignored(decide(reaction("👍", ENDING, added=False), FINISHED))


@pytest.mark.parametrize("event", [reaction("👍", ENDING), press(Control.MERGE, SHA)])
def test_the_same_decision_again_may_be_one_that_nobody_carried_out(event: Reaction | ButtonPressed) -> None:
    assert DONE.approval is not None
    settled = replace(FINISHED, concerned=replace(DONE, approval=replace(DONE.approval, decision=Decision.MERGE)))
    assert decide(event, settled) == (Decide(DONE.execution_id, SHA, Decision.MERGE),)


@pytest.mark.parametrize(("emoji", "value"), [("👍", 15), ("👎", -20)])
def test_a_thumb_on_another_message_of_the_bot_is_a_vote_by_anybody(emoji: str, value: int) -> None:
    assert decide(reaction(emoji, OTHER, by=BOB), QUIET) == (Vote(value),)
    assert decide(reaction(emoji, OTHER, by=BOB), RUNNING) == (Vote(value),)


def test_a_vote_that_is_taken_back_counts_nothing_even_if_discord_does_not_say_whose_message_it_was() -> None:
    assert decide(reaction("👍", OTHER, added=False, whose=None), QUIET) == (Vote(0),)


def test_thumbs_on_peoples_messages_are_no_votes() -> None:
    assert is_ignored(decide(reaction("👍", OTHER, whose=BOB), QUIET))
    assert is_ignored(decide(reaction("👍", OTHER, whose=None), QUIET))


def test_the_bots_own_thumbs_under_a_commit_decide_nothing() -> None:
    assert is_ignored(decide(reaction("👍", ENDING, by=BOT), FINISHED))


def test_an_answer_button_answers_the_parked_run_with_its_text() -> None:
    assert decide(press(Control.ANSWER, "2. The second"), PARKED) == (Answer(RUN.execution_id, "2. The second"),)
    assert is_refused(decide(press(Control.ANSWER, "2. The second"), RUNNING))


@pytest.mark.parametrize("event", [reaction("✅"), press(Control.CONTINUE)])
def test_continue_lets_a_parked_run_go_on_by_itself(event: Reaction | ButtonPressed) -> None:
    assert decide(event, PARKED) == (Answer(RUN.execution_id, GO_ON),)


@pytest.mark.parametrize("event", [reaction("🔄"), press(Control.RETRY), press(Control.CONTINUE)])
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STOPPED, Outcome.OUT_OF_TURNS])
def test_a_run_that_fell_short_is_taken_up_again(event: Reaction | ButtonPressed, outcome: Outcome) -> None:
    situation = replace(QUIET, concerned=replace(STOPPED, outcome=outcome))
    assert decide(event, situation) == (Restart(RUN.execution_id),)


def test_a_run_that_is_done_or_under_way_is_not_taken_up_again() -> None:
    assert is_refused(decide(press(Control.RETRY), FINISHED))
    assert is_refused(decide(press(Control.RETRY), RUNNING))
    busy = replace(QUIET, concerned=STOPPED, running=replace(RUN, execution_id=ExecutionId("m-200")))
    assert is_refused(decide(press(Control.RETRY), busy))
    assert is_ignored(decide(reaction("🔄"), busy))


def test_an_offered_request_is_started_by_its_button() -> None:
    offered = replace(RUN, classification=None)
    assert decide(press(Control.RETRY), replace(QUIET, concerned=offered)) == (Restart(RUN.execution_id),)


@pytest.mark.parametrize(
    "event",
    [
        press("self-destruct"),
        press(Control.STOP, execution="m-999"),
        press(Control.STOP, channel=ChannelId("77")),
    ],
)
def test_a_custom_id_proves_nothing(event: ButtonPressed) -> None:
    assert decide(event, RUNNING) == (Refuse("This button is out of date."),)


def test_a_button_of_a_forgotten_run_is_refused() -> None:
    assert is_refused(decide(press(Control.STOP), QUIET))


@pytest.mark.parametrize("emoji", ["🎉", "💬", "❌", "🚀", "blobcat"])
def test_other_reactions_mean_nothing(emoji: str) -> None:
    assert is_ignored(decide(reaction(emoji), RUNNING))


def test_taking_a_stop_back_does_nothing() -> None:
    assert is_ignored(decide(reaction("🛑", added=False), RUNNING))
