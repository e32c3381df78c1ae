from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import compaction
from discord_agent.domain.conversation import Message, Role, ToolCall
from discord_agent.domain.history import repaired
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.run import RunState

RUN = RunState(ExecutionId("m-1"), ThreadId("7"), ChannelId("7"), MessageId("1"), UserId("2"), turn=4)
OPENING = (Message(Role.SYSTEM, "You write Python."), Message(Role.USER, "The task and its plan."))


def _round(number: int, size: int, count: int = 1) -> tuple[Message, ...]:
    """A round whose tools gave ``size`` characters each."""
    asked = tuple(ToolCall(f"t{number}c{index}", "bash", f'{{"command": "make {number}"}}') for index in range(count))
    answers = tuple(Message(Role.TOOL, f"{number} " + "x" * size, tool_call_id=call.id) for call in asked)
    return (Message(Role.ASSISTANT, f"Step {number}.", asked), *answers)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """Valid conversations: rounds of tools, prose, and what people say in between."""
    messages = list(OPENING)
    for number in range(draw(st.integers(0, 12))):
        match draw(st.sampled_from(["round", "round", "prose", "said"])):
            case "round":
                messages += _round(number, draw(st.integers(0, 4000)), draw(st.integers(1, 4)))
            case "prose":
                messages.append(Message(Role.ASSISTANT, f"Thought {number}. " * draw(st.integers(1, 50))))
            case "said":
                messages.append(Message(Role.USER, f"Wish {number}. " * draw(st.integers(1, 20))))
    return tuple(messages)


def _shortest(messages: tuple[Message, ...], window: int, *, force: bool) -> tuple[Message, ...]:
    stubbed = compaction.without_old_results(messages, window, force=force)
    return compaction.parts(stubbed, window, force=force).with_summary("What was done.")


@given(conversations(), st.integers(100, 20_000), st.booleans())
def test_a_shortened_conversation_stays_valid(messages: tuple[Message, ...], window: int, force: bool) -> None:
    assert repaired(messages) == messages
    stubbed = compaction.without_old_results(messages, window, force=force)
    assert repaired(stubbed) == stubbed
    shortest = _shortest(messages, window, force=force)
    assert repaired(shortest) == shortest


@given(conversations(), st.integers(100, 20_000), st.booleans())
def test_the_task_and_the_last_words_of_a_person_stay_as_they_are(
    messages: tuple[Message, ...], window: int, force: bool
) -> None:
    shortest = _shortest(messages, window, force=force)
    said = [message for message in messages if message.role is Role.USER]
    kept = [message for message in shortest if message.role is Role.USER]
    assert shortest[:2] == OPENING
    assert said[-1] in kept
    assert len(said) == 1 or kept[-1] == said[-1]


@given(conversations(), st.integers(100, 20_000), st.booleans())
def test_nothing_is_lost_but_what_the_summary_stands_for(
    messages: tuple[Message, ...], window: int, force: bool
) -> None:
    parts = compaction.parts(messages, window, force=force)
    assert parts.head + parts.middle + parts.tail == messages
    assert set(parts.said) <= set(parts.middle)
    assert not parts.tail or parts.tail[0].role is not Role.TOOL


@given(conversations(), st.integers(100, 20_000), st.booleans())
def test_the_newest_round_is_always_kept(messages: tuple[Message, ...], window: int, force: bool) -> None:
    parts = compaction.parts(messages, window, force=force)
    is_begun = len(messages) > len(OPENING)
    assert bool(parts.tail) == is_begun


@given(conversations(), st.integers(100, 20_000))
def test_shortening_results_never_makes_a_conversation_longer(messages: tuple[Message, ...], window: int) -> None:
    stubbed = compaction.without_old_results(messages, window)
    assert len(stubbed) == len(messages)
    assert compaction.tokens(stubbed) <= compaction.tokens(messages)


@given(conversations(), st.integers(100, 20_000))
def test_shortening_results_again_changes_nothing(messages: tuple[Message, ...], window: int) -> None:
    once = compaction.without_old_results(messages, window)
    longest = max((len(message.text) for message in once if message.role is Role.TOOL), default=0)
    assert longest <= 600 or compaction.tokens(compaction.without_old_results(once, window)) <= compaction.tokens(once)


def test_old_results_are_cut_and_the_newest_stay_whole() -> None:
    messages = (*OPENING, *(message for number in range(10) for message in _round(number, 3000)))
    stubbed = compaction.without_old_results(messages, 100_000)
    results = [message.text for message in stubbed if message.role is Role.TOOL]
    assert [len(text) > 3000 for text in results] == [False] * 4 + [True] * 6
    assert results[0].startswith("[Shortened: bash gave 3002 characters; call the tool again")


def test_a_cut_result_names_the_file_that_keeps_it_whole() -> None:
    kept = Message(Role.TOOL, "y" * 900 + "\n… the whole output is in .agent/outputs/12.txt.", tool_call_id="t0c0")
    rounds = [message for number in range(1, 8) for message in _round(number, 10)]
    stubbed = compaction.without_old_results((*OPENING, _round(0, 1)[0], kept, *rounds), 100_000)
    assert "; the whole text is in .agent/outputs/12.txt. It began" in stubbed[3].text


def test_only_one_of_several_results_too_large_for_the_window_stays_whole() -> None:
    messages = (*OPENING, *_round(1, 3000, count=3))
    results = compaction.without_old_results(messages, 6000)[3:]
    assert [len(message.text) > 3000 for message in results] == [False, False, True]


@pytest.mark.parametrize(
    ("turn", "compacted_at", "force", "due"),
    [
        (4, 0, False, True),
        (4, 5, False, False),
        (5, 5, False, False),
        (6, 5, False, True),
        (5, 5, True, True),
        (0, 5, False, True),
    ],
)
def test_a_conversation_is_not_shortened_before_two_turns_in_a_row(
    turn: int, compacted_at: int, force: bool, due: bool
) -> None:
    run = replace(RUN, turn=turn, compacted_at=compacted_at)
    assert compaction.is_due(run, _long(), 1000, force=force) is due


def test_a_turn_that_is_tried_again_is_not_shortened_for_twice() -> None:
    assert not compaction.is_due(replace(RUN, compacted_at=5), _long(), 1000, force=True)


def test_a_conversation_is_due_only_from_its_share_of_the_window() -> None:
    size = compaction.tokens(_long())
    assert not compaction.is_due(RUN, _long(), round(size / compaction.START) + 5, force=False)
    assert compaction.is_due(RUN, _long(), round(size / compaction.START) - 5, force=False)


def test_little_gain_is_not_worth_it() -> None:
    before = (*OPENING, Message(Role.USER, "x" * 9000))
    assert not compaction.is_worth_it(before, (*OPENING, Message(Role.USER, "x" * 8000)))
    assert compaction.is_worth_it(before, (*OPENING, Message(Role.USER, "x" * 6000)))


def test_what_was_done_can_be_told_without_a_model() -> None:
    rounds = [message for number in range(70) for message in _round(number, 5)]
    told = compaction.digest(rounds).splitlines()
    assert told[0] == "- 10 earlier calls"
    assert told[-1] == '- bash {"command": "make 69"} → 69 xxxxx'


@given(conversations(), st.integers(1, 50_000))
def test_a_transcript_keeps_its_size_whatever_the_conversation(messages: tuple[Message, ...], limit: int) -> None:
    text = compaction.transcript(messages, limit)
    least = 160 * 2 * sum(1 + len(message.tool_calls) for message in messages)
    assert len(text) <= 2 * limit + least


def _long() -> tuple[Message, ...]:
    return (*OPENING, *(message for number in range(10) for message in _round(number, 900)))
