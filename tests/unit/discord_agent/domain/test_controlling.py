from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import policy
from discord_agent.domain.actions import (
    Action,
    Answer,
    Choose,
    Decide,
    Extend,
    Forget,
    Ignore,
    Refuse,
    Reshow,
    Restart,
    Rewind,
    Situation,
    Steer,
    Stop,
    Vote,
    Withdraw,
)
from discord_agent.domain.classification import Classification, FlowType
from discord_agent.domain.controlling import GO_ON, THINK_AGAIN
from discord_agent.domain.controls import Action as Control
from discord_agent.domain.ids import ChannelId, CommitSha, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import Author, ButtonPressed, Reaction
from discord_agent.domain.intake import decide
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.options import Option
from discord_agent.domain.policy import ADMINISTRATOR, MANAGE_GUILD, GuildSettings, Place
from discord_agent.domain.run import Commit, Outcome, Waiting
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
    told = "Only the person who asked, moderators and those with a permit may stop this run."
    for event in (reaction("🛑", by=BOB), press(Control.STOP, by=BOB)):
        (refused,) = decide(event, RUNNING)
        assert isinstance(refused, Refuse)
        assert refused.sentence.startswith(told)


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


def test_a_thumb_down_about_a_run_at_work_tells_it_that_it_is_wrong_if_the_person_may_steer_it() -> None:
    assert decide(reaction("👎", by=BOB), RUNNING) == (Vote(-20), Steer(RUN.execution_id, Interrupt.WRONG))
    only_watching = replace(RUNNING, settings=GuildSettings(everyone=(policy.Action.SEE,)))
    assert decide(reaction("👎", by=BOB), only_watching) == (Vote(-20),)
    assert decide(reaction("👍", by=BOB), RUNNING) == (Vote(15),)


def test_a_thumb_down_about_an_ended_run_is_evidence_about_it() -> None:
    assert decide(reaction("👎", CARD, by=BOB), replace(QUIET, concerned=STOPPED)) == (Vote(-20, RUN.execution_id),)


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


@pytest.mark.parametrize(
    ("event", "answer", "interrupt"),
    [
        (reaction("✅"), GO_ON, Interrupt.CONTINUE),
        (press(Control.CONTINUE), GO_ON, Interrupt.CONTINUE),
        (reaction("🔄"), GO_ON, Interrupt.RETRY),
        (press(Control.RETRY), GO_ON, Interrupt.RETRY),
        (reaction("🚀"), GO_ON, Interrupt.ESCALATE),
        (press(Control.STRONGER), GO_ON, Interrupt.ESCALATE),
        (reaction("❌"), THINK_AGAIN, Interrupt.WRONG),
    ],
)
def test_a_parked_run_takes_a_sign_for_an_answer(
    event: Reaction | ButtonPressed, answer: str, interrupt: Interrupt
) -> None:
    assert decide(event, PARKED) == (Answer(RUN.execution_id, answer, interrupt),)


def test_a_run_that_waits_already_is_not_asked_to_pause() -> None:
    assert is_ignored(decide(reaction("💬"), PARKED))


@pytest.mark.parametrize(
    ("event", "interrupt"),
    [
        (reaction("💬"), Interrupt.CLARIFY),
        (reaction("🔄"), Interrupt.RETRY),
        (press(Control.RETRY), Interrupt.RETRY),
        (reaction("✅"), Interrupt.CONTINUE),
        (press(Control.CONTINUE), Interrupt.CONTINUE),
        (reaction("❌"), Interrupt.WRONG),
        (reaction("🚀"), Interrupt.ESCALATE),
        (press(Control.STRONGER), Interrupt.ESCALATE),
    ],
)
def test_a_run_at_work_is_steered_by_signs_and_buttons_alike(
    event: Reaction | ButtonPressed, interrupt: Interrupt
) -> None:
    assert decide(event, RUNNING) == (Steer(RUN.execution_id, interrupt),)


@pytest.mark.parametrize("emoji", ["💬", "🔄", "✅", "❌", "🚀"])
def test_signs_steer_only_on_messages_of_the_bot_and_by_those_who_may(emoji: str) -> None:
    among_people = replace(RUNNING, concerned=None)
    assert is_ignored(decide(reaction(emoji, OTHER, whose=BOB), among_people))
    assert not is_ignored(decide(reaction(emoji, OTHER, whose=BOT), among_people))
    closed = replace(RUNNING, settings=GuildSettings(everyone=(policy.Action.SEE,)))
    assert is_refused(decide(reaction(emoji, by=BOB), closed))


@pytest.mark.parametrize("emoji", ["💬", "❌"])
def test_an_ended_run_is_neither_asked_to_pause_nor_told_that_it_is_wrong(emoji: str) -> None:
    assert is_ignored(decide(reaction(emoji), replace(QUIET, concerned=STOPPED)))


@pytest.mark.parametrize("event", [reaction("🚀"), press(Control.STRONGER)])
def test_a_run_that_fell_short_is_tried_again_with_a_stronger_model(event: Reaction | ButtonPressed) -> None:
    assert decide(event, replace(QUIET, concerned=STOPPED)) == (Restart(RUN.execution_id, stronger=True),)


WANTING = replace(RUN, waiting=Waiting.MONEY)
BROKE = replace(QUIET, parked=WANTING, concerned=WANTING)


def test_a_request_to_a_named_model_is_tried_again_by_those_only_who_may_name_it() -> None:
    failed = replace(STOPPED, flow=FlowType.BREAKGLASS, outcome=Outcome.FAILED)
    situation = replace(QUIET, concerned=failed)
    assert is_refused(decide(press(Control.RETRY), situation))
    by_administrator = press(Control.RETRY, by=BOB, permissions=ADMINISTRATOR)
    assert decide(by_administrator, situation) == (Restart(failed.execution_id),)


@pytest.mark.parametrize(
    "event", [press(Control.ANSWER, "yes"), press(Control.CONTINUE), press(Control.RETRY), press(Control.STRONGER)]
)
def test_no_answer_stands_in_for_money(event: ButtonPressed) -> None:
    assert decide(event, BROKE) == (Refuse("This run waits until its budget is extended."),)


def test_a_run_without_money_is_extended_by_those_who_may_spend() -> None:
    assert is_refused(decide(press(Control.EXTEND), BROKE))
    assert decide(press(Control.EXTEND, permissions=ADMINISTRATOR), BROKE) == (Extend(RUN.execution_id),)
    out_of_budget = replace(QUIET, concerned=replace(STOPPED, outcome=Outcome.OUT_OF_BUDGET))
    assert decide(press(Control.EXTEND, permissions=ADMINISTRATOR), out_of_budget) == (Extend(RUN.execution_id),)


@pytest.mark.parametrize("situation", [RUNNING, PARKED, FINISHED, replace(QUIET, concerned=STOPPED)])
def test_only_a_run_that_lacks_money_is_extended(situation: Situation) -> None:
    assert is_refused(decide(press(Control.EXTEND, permissions=ADMINISTRATOR), situation))


@pytest.mark.parametrize(("argument", "turn"), [("0", 0), ("3", 3), ("07", 7)])
def test_an_ended_run_is_taken_back_to_a_turn_it_had(argument: str, turn: int) -> None:
    situation = replace(QUIET, concerned=replace(STOPPED, turns=7))
    assert decide(press(Control.REWIND, argument), situation) == (Rewind(RUN.execution_id, turn),)


@pytest.mark.parametrize("argument", ["", "8", "-1", "two", "9" * 60, "³", "1.5"])
def test_a_turn_that_never_was_is_refused(argument: str) -> None:
    assert is_refused(decide(press(Control.REWIND, argument), replace(QUIET, concerned=replace(STOPPED, turns=7))))


@pytest.mark.parametrize("situation", [RUNNING, PARKED])
def test_nothing_is_taken_back_under_a_run_at_work(situation: Situation) -> None:
    assert is_refused(decide(press(Control.REWIND, "0"), situation))


def test_what_a_run_taught_is_forgotten_by_those_who_may_steer_here() -> None:
    assert decide(press(Control.FORGET, "a1b2", by=BOB), FINISHED) == (Forget(RUN.execution_id, "a1b2"),)
    closed = replace(FINISHED, settings=GuildSettings(everyone=(policy.Action.SEE,)))
    assert is_refused(decide(press(Control.FORGET, "a1b2", by=BOB), closed))
    assert is_refused(decide(press(Control.FORGET), FINISHED))


def test_one_of_the_options_that_were_shown_is_chosen() -> None:
    shown = replace(QUIET, concerned=replace(DONE, options=(Option("A", ""), Option("B", ""))))
    assert decide(press(Control.CHOOSE, "2", by=BOB), shown) == (Choose(RUN.execution_id, 2),)
    for argument in ("0", "3", "", "two"):
        assert is_refused(decide(press(Control.CHOOSE, argument), shown))
    assert is_refused(decide(press(Control.CHOOSE, "1"), replace(shown, running=replace(RUN, message_id=OTHER))))


@given(st.sampled_from(Control), st.text(max_size=60), st.sampled_from([QUIET, RUNNING, PARKED, FINISHED, BROKE]))
def test_every_button_does_something_or_says_why_not(control: Control, argument: str, situation: Situation) -> None:
    assert decide(press(control, argument), situation)


@pytest.mark.parametrize("event", [reaction("🔄"), press(Control.RETRY), press(Control.CONTINUE)])
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STOPPED, Outcome.OUT_OF_TURNS])
def test_a_run_that_fell_short_is_taken_up_again(event: Reaction | ButtonPressed, outcome: Outcome) -> None:
    situation = replace(QUIET, concerned=replace(STOPPED, outcome=outcome))
    assert decide(event, situation) == (Restart(RUN.execution_id),)


def test_a_run_that_is_done_or_under_way_is_not_taken_up_again() -> None:
    assert is_refused(decide(press(Control.RETRY), FINISHED))
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


@pytest.mark.parametrize("emoji", ["🎉", "blobcat", "❤️"])
def test_other_reactions_mean_nothing(emoji: str) -> None:
    assert is_ignored(decide(reaction(emoji), RUNNING))


def test_a_stop_under_a_request_that_has_not_begun_takes_it_back() -> None:
    assert decide(reaction("🛑", OTHER, whose=ANN), QUIET) == (Withdraw(OTHER),)
    assert is_refused(decide(reaction("🛑", OTHER, whose=ANN, by=BOB), QUIET))
    assert is_ignored(decide(reaction("🛑", OTHER, whose=BOT), QUIET))
    assert is_ignored(decide(reaction("🛑", OTHER, whose=None, added=False), QUIET))


def test_taking_a_stop_back_does_nothing() -> None:
    assert is_ignored(decide(reaction("🛑", added=False), RUNNING))
