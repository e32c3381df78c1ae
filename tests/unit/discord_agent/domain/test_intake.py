from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.actions import (
    Acknowledge,
    Answer,
    CleanUp,
    DropQueued,
    EditQueued,
    Enqueue,
    Ignore,
    KeepReason,
    Offer,
    Refuse,
    Restart,
    Situation,
    Steer,
    Stop,
    Wake,
    Withdraw,
)
from discord_agent.domain.classification import FlowType
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, RoleId, ThreadId, UserId
from discord_agent.domain.inbound import (
    Attachment,
    Author,
    CommandInvoked,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    ThreadDeleted,
)
from discord_agent.domain.intake import decide
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.policy import (
    ADMINISTRATOR,
    ChannelSettings,
    GuildSettings,
    People,
    Place,
    Reading,
)
from discord_agent.domain.run import Outcome, Waiting
from discord_agent.domain.session import ExecutionRecord, FlowOverride, ItemKind, Objection

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
BOT, ANN, BOB = UserId("1"), UserId("2"), UserId("3")
THREAD, CHANNEL, GUILD = ChannelId("50"), ChannelId("40"), GuildId("30")
DEBOUNCE = timedelta(seconds=2)


def message_id(age: timedelta = timedelta(0)) -> MessageId:
    milliseconds = int((NOW - age).timestamp() * 1000) - 1_420_070_400_000
    return MessageId(str(milliseconds << 22))


def message(
    content: str = "fix the login",
    *,
    by: UserId = ANN,
    mentions_bot: bool = True,
    age: timedelta = timedelta(0),
    attachments: tuple[Attachment, ...] = (),
    is_bot: bool = False,
    name: str = "someone",
    permissions: int = 0,
) -> InboundMessage:
    author = Author(by, name, is_bot=is_bot, permissions=permissions)
    return InboundMessage(message_id(age), THREAD, GUILD, author, content, mentions_bot, attachments)


def run(by: UserId = ANN, asked: timedelta = timedelta(minutes=5)) -> ExecutionRecord:
    asked_in = message_id(asked)
    return ExecutionRecord(
        ExecutionId(f"m-{asked_in}"),
        ThreadId(THREAD),
        CHANNEL,
        asked_in,
        by,
        "ann",
        FlowType.SEQUENTIAL,
        "fix the login",
        NOW - asked,
    )


IN_CHANNEL = Situation(
    bot_id=BOT,
    settings=GuildSettings(),
    place=Place(CHANNEL, GUILD, name="random"),
    now=NOW,
    staleness=timedelta(minutes=30),
    debounce=DEBOUNCE,
    breakglass_aliases=("opus",),
)
IN_THREAD = replace(IN_CHANNEL, place=Place(THREAD, GUILD, CHANNEL, is_thread=True, joined=True))
RUN = run()
RUNNING = replace(IN_THREAD, running=RUN)
PARKED = replace(IN_THREAD, parked=RUN)
REQUEST = (Enqueue(ItemKind.REQUEST, forced=True), Acknowledge("👀"), Wake(DEBOUNCE))


def test_a_mention_is_queued_seen_and_classified_after_the_debounce() -> None:
    assert decide(message(), IN_CHANNEL) == REQUEST


def test_a_message_without_a_mention_is_a_request_where_the_bot_takes_part_but_not_a_forced_one() -> None:
    decided = decide(message(mentions_bot=False), IN_THREAD)
    assert decided == (Enqueue(ItemKind.REQUEST), Acknowledge(), Wake(DEBOUNCE))


def test_a_message_without_a_mention_in_a_channel_is_ignored() -> None:
    assert decide(message(mentions_bot=False), IN_CHANNEL) == (Ignore("not meant for the bot"),)


def test_a_channel_that_is_read_passively_is_classified_without_marking_every_message() -> None:
    settings = GuildSettings(channels=(ChannelSettings(CHANNEL, reading=Reading.EVERYTHING),))
    decided = decide(message(mentions_bot=False), replace(IN_CHANNEL, settings=settings))
    assert decided == (Enqueue(ItemKind.REQUEST), Wake(DEBOUNCE))


def test_a_channel_may_have_its_own_debounce() -> None:
    settings = GuildSettings(channels=(ChannelSettings(CHANNEL, debounce_seconds=7),))
    assert decide(message(), replace(IN_CHANNEL, settings=settings))[-1] == Wake(timedelta(seconds=7))


def test_the_bot_never_answers_itself() -> None:
    assert decide(message(by=BOT, is_bot=True), IN_THREAD) == (Ignore("written by the bot itself"),)


def test_another_bot_is_ignored_even_if_it_mentions_the_bot() -> None:
    assert decide(message(is_bot=True), IN_THREAD) == (Ignore("written by another bot"),)


def test_the_secondary_bot_is_answered_without_a_mention() -> None:
    situation = replace(IN_CHANNEL, secondary_bot="bot2")
    assert decide(message(is_bot=True, name="bot2", mentions_bot=False), situation) == REQUEST


@pytest.mark.parametrize("content", ["", "  ", "<@1>", "<@!1> "])
def test_a_message_that_says_nothing_is_ignored(content: str) -> None:
    assert decide(message(content), IN_CHANNEL) == (Ignore("empty"),)


def test_a_file_without_a_word_is_a_message() -> None:
    upload = Attachment("1", "a.txt", "https://cdn.example/a.txt", 10)
    assert decide(message("<@1>", attachments=(upload,)), IN_CHANNEL) == REQUEST


def test_a_mention_of_exactly_thirty_minutes_is_fresh_and_an_older_one_is_offered() -> None:
    assert decide(message(age=timedelta(minutes=30)), IN_CHANNEL) == REQUEST
    assert decide(message(age=timedelta(minutes=30, milliseconds=1)), IN_CHANNEL) == (Offer(),)


def test_a_stale_message_that_nobody_addressed_to_the_bot_is_dropped() -> None:
    assert decide(message(mentions_bot=False, age=timedelta(minutes=31)), IN_THREAD) == (Ignore("stale"),)


def test_somebody_who_may_not_run_is_told_if_they_addressed_the_bot() -> None:
    situation = replace(IN_THREAD, settings=GuildSettings(blocked=People(users=(BOB,))))
    assert decide(message(by=BOB), situation) == (Refuse("You are blocked from using this bot here."),)
    (ignored,) = decide(message(by=BOB, mentions_bot=False), situation)
    assert isinstance(ignored, Ignore)


def test_breakglass_is_addressed_to_the_bot_and_needs_its_own_permission() -> None:
    (refused,) = decide(message("@opus fix it", mentions_bot=False), IN_CHANNEL)
    assert isinstance(refused, Refuse)
    allowed = (Enqueue(ItemKind.REQUEST, forced=True, breakglass=True), *REQUEST[1:])
    by_administrator = message("@opus fix it", mentions_bot=False, permissions=ADMINISTRATOR)
    assert decide(by_administrator, IN_CHANNEL) == allowed
    assert decide(replace(by_administrator, content="<@1> @opus fix it"), IN_CHANNEL) == allowed


def test_who_chose_breakglass_by_command_may_name_a_model_in_the_next_message() -> None:
    chosen = replace(IN_CHANNEL, flow_override=FlowOverride(FlowType.BREAKGLASS, ANN))
    (request, *_) = decide(message("@opus fix it", mentions_bot=False), chosen)
    assert request == Enqueue(ItemKind.REQUEST, forced=True, breakglass=True)
    for unchosen in (
        replace(IN_CHANNEL, flow_override=FlowOverride(FlowType.BREAKGLASS, BOB)),
        replace(IN_CHANNEL, flow_override=FlowOverride(FlowType.BRANCH, ANN)),
    ):
        (refused,) = decide(message("@opus fix it", mentions_bot=False), unchosen)
        assert isinstance(refused, Refuse)


def test_who_names_a_model_asks_it_also_while_a_run_works() -> None:
    (request, *_) = decide(message("@opus fix it", mentions_bot=False, permissions=ADMINISTRATOR), RUNNING)
    assert request == Enqueue(ItemKind.REQUEST, forced=True, breakglass=True)


@pytest.mark.parametrize(
    ("word", "stronger"), [("RETRY", False), ("continue", False), ("<@1> Continue.", False), ("Escalate!", True)]
)
def test_a_bare_word_takes_up_a_run_that_fell_short_as_the_button_does(word: str, stronger: bool) -> None:
    failed = replace(IN_THREAD, concerned=replace(RUN, outcome=Outcome.FAILED))
    expected = (Acknowledge(), Restart(RUN.execution_id, stronger))
    assert decide(message(word, mentions_bot=False), failed) == expected


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("continue with the tests", Outcome.FAILED),
        ("continue", Outcome.DONE),
        ("continue", None),
        ("stop it", Outcome.FAILED),
    ],
)
def test_other_words_after_a_run_are_a_request(said: str, outcome: Outcome | None) -> None:
    ended = replace(IN_THREAD, concerned=replace(RUN, outcome=outcome))
    assert Enqueue(ItemKind.REQUEST) in decide(message(said, mentions_bot=False), ended)


def test_a_word_that_is_delivered_again_does_not_take_up_the_try_that_it_started() -> None:
    tried = replace(RUN, outcome=Outcome.FAILED, created_at=NOW + timedelta(seconds=1))
    decided = decide(message("retry", mentions_bot=False), replace(IN_THREAD, concerned=tried))
    assert not any(isinstance(action, Restart) for action in decided)


def test_a_bare_word_in_a_channel_takes_nothing_up() -> None:
    elsewhere = replace(IN_CHANNEL, concerned=replace(RUN, outcome=Outcome.FAILED))
    assert decide(message("retry"), elsewhere) == REQUEST


def test_a_message_to_a_running_run_steers_it() -> None:
    decided = decide(message("use JWT", mentions_bot=False), RUNNING)
    assert decided == (Enqueue(ItemKind.STEER), Acknowledge())


def test_any_message_answers_a_parked_run_however_long_it_took_to_arrive() -> None:
    late = replace(PARKED, parked=run(asked=timedelta(hours=5)))
    decided = decide(message("<@1> the second one", age=timedelta(hours=1)), late)
    assert late.parked is not None
    assert decided == (Acknowledge(), Answer(late.parked.execution_id, "the second one"))


@pytest.mark.parametrize("situation", [RUNNING, PARKED])
@pytest.mark.parametrize("text", ["stop", "STOP!", "wait", "<@1> stop now"])
def test_stop_as_the_first_word_stops_exactly_this_run(situation: Situation, text: str) -> None:
    assert decide(message(text, mentions_bot=False), situation) == (Stop(RUN.execution_id),)


@pytest.mark.parametrize(
    ("text", "interrupt", "rest"),
    [
        ("CLARIFY", Interrupt.CLARIFY, ""),
        ("clarify: the key is in the vault", Interrupt.CLARIFY, "the key is in the vault"),
        ("Retry", Interrupt.RETRY, ""),
        ("continue, it looks good", Interrupt.CONTINUE, "it looks good"),
        ("<@1> WRONG! use the other file", Interrupt.WRONG, "use the other file"),
        ("Escalate", Interrupt.ESCALATE, ""),
    ],
)
def test_an_interrupt_word_steers_the_run_at_work_with_what_follows_it(
    text: str, interrupt: Interrupt, rest: str
) -> None:
    decided = decide(message(text, by=BOB, mentions_bot=False), RUNNING)
    assert decided == (Acknowledge(), Steer(RUN.execution_id, interrupt, rest))


@pytest.mark.parametrize(
    ("text", "answer", "interrupt"),
    [
        ("wrong key, it is the old one", "wrong key, it is the old one", Interrupt.WRONG),
        ("<@1> continue", "continue", Interrupt.CONTINUE),
        ("escalate", "escalate", Interrupt.ESCALATE),
    ],
)
def test_a_parked_run_is_answered_with_the_whole_message(text: str, answer: str, interrupt: Interrupt) -> None:
    decided = decide(message(text, mentions_bot=False), PARKED)
    assert decided == (Acknowledge(), Answer(RUN.execution_id, answer, interrupt))


@pytest.mark.parametrize("text", ["go on", "continue", "retry", "escalate", "clarify it is urgent"])
def test_no_message_stands_in_for_money(text: str) -> None:
    wanting = replace(IN_THREAD, parked=replace(RUN, waiting=Waiting.MONEY))
    for action in decide(message(text, mentions_bot=False), wanting):
        assert isinstance(action, Acknowledge | Ignore) or action == Enqueue(ItemKind.STEER)
    assert isinstance(decide(message("continue"), wanting)[0], Refuse)


def test_an_interrupt_of_somebody_who_may_not_steer_is_not_heard() -> None:
    situation = replace(RUNNING, settings=GuildSettings(everyone=()))
    assert isinstance(decide(message("wrong", by=BOB), situation)[0], Refuse)
    assert isinstance(decide(message("wrong", by=BOB, mentions_bot=False), situation)[0], Ignore)


def test_a_bare_stop_before_anything_has_begun_takes_requests_back() -> None:
    assert decide(message("<@1> STOP!"), IN_THREAD) == (Withdraw(),)


def test_whoever_rejected_a_commit_says_why_with_their_next_words() -> None:
    rejected = replace(IN_THREAD, rejection=Objection(RUN.execution_id, ANN, NOW))
    assert decide(message("<@1> no tests"), rejected) == (KeepReason("no tests"), *REQUEST)
    assert decide(message("no tests", by=BOB), rejected) == REQUEST
    explained = replace(IN_THREAD, rejection=Objection(RUN.execution_id, ANN, NOW, "no tests"))
    assert decide(message("and be quick"), explained) == REQUEST


def test_a_stopwatch_is_no_stop() -> None:
    assert decide(message("STOPWATCH app"), RUNNING) == (Enqueue(ItemKind.STEER, forced=True), Acknowledge())


def test_a_message_that_begins_with_stop_but_goes_on_is_a_request_where_nothing_runs() -> None:
    assert decide(message("stop the server"), IN_THREAD) == REQUEST


def test_a_stranger_may_steer_but_not_stop_anothers_run() -> None:
    (refused,) = decide(message("stop", by=BOB), RUNNING)
    assert isinstance(refused, Refuse)
    assert decide(message("use JWT", by=BOB, mentions_bot=False), RUNNING) == (Enqueue(ItemKind.STEER), Acknowledge())


def test_people_without_the_right_to_steer_are_not_heard_by_the_run() -> None:
    situation = replace(RUNNING, settings=GuildSettings(everyone=()))
    assert isinstance(decide(message("use JWT", by=BOB), situation)[0], Refuse)
    assert isinstance(decide(message("use JWT", by=BOB, mentions_bot=False), situation)[0], Ignore)
    assert decide(message("use JWT", by=ANN, mentions_bot=False), situation) == (Enqueue(ItemKind.STEER), Acknowledge())


def test_a_message_from_before_the_run_is_not_for_it() -> None:
    assert decide(message("stop", age=timedelta(minutes=6)), RUNNING) == REQUEST


def test_the_request_of_the_run_at_work_is_not_taken_up_twice() -> None:
    assert decide(message(age=timedelta(minutes=5)), RUNNING) == (Ignore("being worked on already"),)


def test_edits_and_deletions_reach_the_queue() -> None:
    assert decide(MessageEdited(MessageId("7"), THREAD, "new"), IN_THREAD) == (EditQueued(MessageId("7"), "new"),)
    assert decide(MessageDeleted(MessageId("7"), THREAD), IN_THREAD) == (DropQueued(MessageId("7")),)


def test_a_deleted_thread_is_cleaned_up_after_its_run_was_stopped() -> None:
    gone = ThreadDeleted(ThreadId(THREAD), GUILD)
    assert decide(gone, IN_THREAD) == (CleanUp(ThreadId(THREAD)),)
    assert decide(gone, RUNNING) == (Stop(RUN.execution_id), CleanUp(ThreadId(THREAD)))
    assert decide(gone, PARKED) == (Stop(RUN.execution_id), CleanUp(ThreadId(THREAD)))


def test_an_unknown_command_is_answered() -> None:
    command = CommandInvoked("1", "token", "2", "nonsense", (), THREAD, GUILD, Author(ANN, "ann"))
    assert decide(command, IN_THREAD) == (Refuse("I do not know the command /nonsense."),)


situations = st.builds(
    lambda base, reading, everyone, blocked: replace(
        base,
        settings=GuildSettings(
            reading=reading,
            everyone=GuildSettings().everyone if everyone else (),
            blocked=People(roles=(RoleId("9"),) if blocked else ()),
        ),
    ),
    st.sampled_from([IN_CHANNEL, IN_THREAD, RUNNING, PARKED]),
    st.sampled_from(Reading),
    st.booleans(),
    st.booleans(),
)
messages = st.builds(
    message,
    st.sampled_from(["", "fix it", "stop", "@opus go", "<@1> hello", "retry"]),
    by=st.sampled_from([BOT, ANN, BOB]),
    mentions_bot=st.booleans(),
    age=st.sampled_from([timedelta(0), timedelta(minutes=4), timedelta(hours=1)]),
    is_bot=st.booleans(),
)


@given(messages, situations)
def test_every_message_leads_to_one_thing_only(event: InboundMessage, situation: Situation) -> None:
    actions = decide(event, situation)
    effects = [action for action in actions if not isinstance(action, Acknowledge | Wake)]
    assert len(effects) == 1
    queued = isinstance(effects[0], Enqueue) and effects[0].kind is ItemKind.REQUEST
    assert queued == any(isinstance(action, Wake) for action in actions)
    unaddressed = not (event.mentions_bot or event.author.is_bot or event.content.startswith("@opus"))
    said_stop = event.content == "stop"
    assert not (unaddressed and not said_stop and isinstance(effects[0], Refuse | Offer))
