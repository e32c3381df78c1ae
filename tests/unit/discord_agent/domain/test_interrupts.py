import pytest

from discord_agent.domain.interrupts import Interrupt, Interruption, from_emoji, from_text, plain_emoji


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STOP", Interruption(Interrupt.STOP)),
        ("stop", Interruption(Interrupt.STOP)),
        ("wait, not yet", Interruption(Interrupt.STOP, "not yet")),
        ("Clarify: which database?", Interruption(Interrupt.CLARIFY, "which database?")),
        ("retry", Interruption(Interrupt.RETRY)),
        ("CONTINUE please", Interruption(Interrupt.CONTINUE, "please")),
        ("wrong - use the other file", Interruption(Interrupt.WRONG, "use the other file")),
        ("Escalate!", Interruption(Interrupt.ESCALATE)),
        ("<@123> stop", Interruption(Interrupt.STOP)),
        ("<@!123>  stop now", Interruption(Interrupt.STOP, "now")),
    ],
)
def test_a_message_that_begins_with_the_word_interrupts(text: str, expected: Interruption) -> None:
    assert from_text(text) == expected


@pytest.mark.parametrize("text", ["STOPWATCH app", "please stop", "waiting", "non-stop", "", "retry_count is wrong"])
def test_other_words_and_other_places_do_not(text: str) -> None:
    assert from_text(text) is None


@pytest.mark.parametrize(
    ("emoji", "expected"),
    [
        ("🛑", Interrupt.STOP),
        ("💬", Interrupt.CLARIFY),
        ("🔄", Interrupt.RETRY),
        ("✅", Interrupt.CONTINUE),
        ("❌", Interrupt.WRONG),
        ("🚀", Interrupt.ESCALATE),
        ("🛑\ufe0f", Interrupt.STOP),
        ("🎉", None),
        ("stop", None),
    ],
)
def test_six_emoji_interrupt(emoji: str, expected: Interrupt | None) -> None:
    assert from_emoji(emoji) == expected


def test_an_emoji_means_the_same_in_every_skin_tone() -> None:
    assert plain_emoji("👍🏽") == "👍"
