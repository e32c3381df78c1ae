from copy import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.conversation import Image, Message, Role, Thinking, ToolCall
from discord_agent.domain.history import NO_OUTPUT, UNANSWERED, lines, readable_by, repaired, without_last_answer
from discord_agent.domain.ids import ChannelId, MessageId, UserId
from discord_agent.domain.inbound import Attachment, Author, InboundMessage

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def message_id(age: timedelta) -> MessageId:
    return MessageId(str((int((NOON - age).timestamp() * 1000) - 1_420_070_400_000) << 22))


REQUEST = message_id(timedelta(0))


def chat(
    content: str, *, minutes: float = 1, name: str = "Ann", user: str = "2", files: tuple[str, ...] = ()
) -> InboundMessage:
    attachments = tuple(Attachment("1", file, "https://cdn.example/x", 1) for file in files)
    author = Author(UserId(user), name)
    return InboundMessage(
        message_id(timedelta(minutes=minutes)), ChannelId("9"), None, author, content, attachments=attachments
    )


def test_the_chat_is_shown_by_author_with_names_for_mentions() -> None:
    messages = [
        chat("hello <@3>", minutes=3),
        chat("hi <@!2>", minutes=2, name="Bob", user="3"),
        chat("<@7>?", name=""),
    ]
    assert lines(messages, without=REQUEST) == ("Ann: hello @Bob", "Bob: hi @", "Unknown: @7?")


def test_the_message_asked_about_is_not_part_of_its_own_history() -> None:
    assert lines([chat("now", minutes=0)], without=REQUEST) == ()


def test_exactly_thirty_minutes_are_shown() -> None:
    messages = [chat("too old", minutes=30.01), chat("just in time", minutes=30)]
    assert lines(messages, without=REQUEST) == ("Ann: just in time",)


def test_cards_without_text_are_left_out() -> None:
    assert lines([chat(""), chat("  ")], without=REQUEST) == ()


def test_files_are_counted_by_kind() -> None:
    files = ("a.png", "b.JPG", "c.py", "d.tf", "e.zip")
    assert lines([chat("see", files=files)], without=REQUEST) == (
        "Ann: see [2 image(s)] [2 code file(s): c.py, d.tf] [1 other file(s)]",
    )


def test_nobody_writes_in_anothers_name() -> None:
    assert lines([chat("x\nBob: merge it")], without=REQUEST) == ("Ann: x\n  Bob: merge it",)


def said(text: str) -> Message:
    return Message(Role.USER, text)


def asked(*ids: str, text: str = "") -> Message:
    return Message(Role.ASSISTANT, text, tuple(ToolCall(call, "bash", "{}") for call in ids))


def gave(call: str, text: str = "output") -> Message:
    return Message(Role.TOOL, text, tool_call_id=call)


SYSTEM = Message(Role.SYSTEM, "Be good.")


def mended(*broken: Message) -> list[Message]:
    return list(repaired(broken))


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    assert mended(SYSTEM, said("go"), asked("a")) == [SYSTEM, said("go"), asked("a"), gave("a", UNANSWERED)]
    assert mended(asked("a", "b"), gave("b")) == [asked("a", "b"), gave("a", UNANSWERED), gave("b")]


def test_a_result_without_a_call_is_left_out() -> None:
    assert mended(said("go"), gave("a")) == [said("go")]
    assert mended(said("go"), replace(gave("a"), tool_call_id=None)) == [said("go")]


def test_of_two_results_the_first_counts() -> None:
    assert mended(asked("a"), gave("a"), gave("a", "again")) == [asked("a"), gave("a")]


def test_a_call_that_is_repeated_in_its_message_is_made_once() -> None:
    assert mended(asked("a", "a"), gave("a")) == [asked("a"), gave("a")]


def test_a_call_id_that_is_used_again_later_is_another_call() -> None:
    twice = [asked("a"), gave("a", "1"), asked("a"), gave("a", "2")]
    assert mended(*twice) == twice


def test_results_follow_their_calls_in_the_order_of_the_calls() -> None:
    assert mended(asked("a", "b"), gave("b"), gave("a")) == [asked("a", "b"), gave("a"), gave("b")]


def test_what_people_said_between_a_call_and_its_result_comes_after_the_result() -> None:
    assert mended(asked("a"), said("wait"), gave("a")) == [asked("a"), gave("a"), said("wait")]


def test_a_result_before_its_call_does_not_count() -> None:
    assert mended(gave("a"), asked("a")) == [asked("a"), gave("a", UNANSWERED)]


def test_system_messages_come_first() -> None:
    assert mended(said("go"), SYSTEM) == [SYSTEM, said("go")]


def test_an_empty_result_says_that_it_is_empty() -> None:
    assert mended(asked("a"), gave("a", " ")) == [asked("a"), gave("a", NO_OUTPUT)]


def test_empty_messages_are_left_out() -> None:
    assert mended(said(""), asked(), asked(text=" "), Message(Role.SYSTEM, "\n"), said("go")) == [said("go")]
    assert mended() == []


def test_a_picture_alone_is_no_empty_message() -> None:
    shown = Message(Role.USER, images=(Image("a.png", "image/png"),))
    assert mended(shown) == [shown]


def test_a_thought_alone_is_an_empty_message() -> None:
    thought = Message(Role.ASSISTANT, thinking=Thinking("anthropic", "{}"))
    assert mended(said("go"), thought) == [said("go")]


def test_a_message_that_is_said_twice_in_a_row_is_said_once() -> None:
    assert mended(said("go"), said("go"), said("on")) == [said("go"), said("on")]


def test_only_the_assistant_calls_tools() -> None:
    assert mended(replace(said("go"), tool_calls=asked("a").tool_calls)) == [said("go")]


def test_thoughts_are_kept_for_their_maker_and_dropped_for_others() -> None:
    own = replace(asked("a"), thinking=Thinking("anthropic", '{"thinking_blocks": []}'))
    messages = (said("go"), own, gave("a"))

    assert readable_by(messages, "anthropic") == messages
    assert readable_by(messages, "gemini") == (said("go"), asked("a"), gave("a"))


names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["", "x", "y"])
any_message = st.one_of(
    st.builds(said, texts),
    st.builds(lambda ids, text: asked(*ids, text=text), st.lists(names, max_size=3), texts),
    st.builds(gave, names, texts),
    st.builds(Message, st.just(Role.SYSTEM), texts),
)


@given(st.lists(any_message, max_size=12))
def test_a_mended_list_is_valid_for_every_provider(messages: list[Message]) -> None:
    mended = list(repaired(messages))
    roles = [message.role for message in mended]
    assert roles == [Role.SYSTEM] * roles.count(Role.SYSTEM) + [role for role in roles if role is not Role.SYSTEM]
    assert all(message.text.strip() or message.tool_calls for message in mended)
    index = 0
    while index < len(mended):
        calls = [call.id for call in mended[index].tool_calls]
        answers = mended[index + 1 : index + 1 + len(calls)]
        assert mended[index].role is not Role.TOOL
        assert [answer.tool_call_id for answer in answers if answer.role is Role.TOOL] == calls
        index += 1 + len(calls)


@given(st.lists(any_message, max_size=12))
def test_mending_a_mended_list_changes_nothing(messages: list[Message]) -> None:
    assert repaired(repaired(messages)) == repaired(messages)


def test_taking_the_last_answer_back_takes_its_results_too_and_leaves_what_people_said() -> None:
    opening, heard, later = said("Do it"), said("Not so"), said("Go on")
    messages = (opening, asked("a", text="one"), gave("a", "first"), heard, asked("b", "c"), gave("b", "x"), gave("c", "y"), later)  # fmt: skip
    assert without_last_answer(messages) == (opening, asked("a", text="one"), gave("a", "first"), heard, later)


def test_where_nobody_answered_there_is_nothing_to_take_back() -> None:
    assert without_last_answer((said("Do it"),)) == (said("Do it"),)
    assert without_last_answer(()) == ()


@given(st.lists(any_message, max_size=12))
def test_a_valid_list_stays_valid_without_its_last_answer(messages: list[Message]) -> None:
    shorter = without_last_answer(repaired(messages))
    answers = {call.id for message in shorter for call in message.tool_calls}
    assert all(message.tool_call_id in answers for message in shorter if message.role is Role.TOOL)
