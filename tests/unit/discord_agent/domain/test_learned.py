from copy import replace

from discord_agent.domain import learned
from discord_agent.domain.controls import Action, Control, decode
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.run import RunState

RUN = RunState(ExecutionId("m-1"), ThreadId("7"), ChannelId("7"), MessageId("1"), UserId("2"))
TAUGHT = replace(RUN, lesson="Run the **tests** first.", lesson_id="a1b2c3d4e5f6")


def test_a_run_that_taught_nothing_shows_nothing() -> None:
    assert (learned.note(RUN), learned.buttons(RUN)) == ("", ())


def test_what_was_learned_is_shown_without_acting_as_markdown() -> None:
    assert learned.note(TAUGHT) == r"🧠 learned: Run the \*\*tests\*\* first."


def test_the_button_names_the_insight() -> None:
    [[button]] = learned.buttons(TAUGHT)
    assert decode(button.custom_id) == Control(Action.FORGET, ExecutionId("m-1"), "a1b2c3d4e5f6")


def test_a_name_too_long_for_a_button_leaves_the_button_out() -> None:
    assert learned.buttons(replace(TAUGHT, execution_id=ExecutionId("m" * 81))) == ()
