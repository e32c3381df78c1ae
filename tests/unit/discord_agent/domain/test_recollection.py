from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import recollection
from discord_agent.domain.ids import ChannelId, MessageId, UserId
from discord_agent.domain.inbound import Author, InboundMessage
from discord_agent.domain.recollection import Told


def _told(*texts: str) -> tuple[Told, ...]:
    return tuple(
        (InboundMessage(MessageId(str(number)), ChannelId("7"), None, Author(UserId("5"), "Bob"), text), f"Bob: {text}")
        for number, text in enumerate(texts, start=1)
    )


_CONVERSATIONS = st.lists(st.integers(1, 6000), max_size=130).map(lambda sizes: _told(*("x" * size for size in sizes)))


@given(_CONVERSATIONS)
def test_every_message_is_either_shown_or_left_to_the_summary(told: tuple[Told, ...]) -> None:
    parts = recollection.split(told)
    assert parts.old + parts.shown == told
    assert not told or parts.shown


@given(_CONVERSATIONS)
def test_what_is_shown_is_bounded(told: tuple[Told, ...]) -> None:
    shown = recollection.lines("", recollection.split(told).shown)
    assert len(shown) <= recollection.MOST_SHOWN
    assert sum(map(len, shown)) <= recollection.MOST_CHARACTERS
    assert all(len(line) <= recollection.LINE_LIMIT for line in shown)


@given(_CONVERSATIONS, st.integers(4000, 20_000))
def test_batches_hold_every_line_in_order_and_keep_their_limit(told: tuple[Told, ...], limit: int) -> None:
    groups = recollection.batches(told, limit)
    assert [line for group in groups for line in group] == list(recollection.lines("", told))
    assert all(sum(map(len, group)) <= limit for group in groups)


def test_a_summary_is_not_made_at_every_message() -> None:
    assert recollection.split(_told(*["hi"] * recollection.MOST_SHOWN)).old == ()
    parts = recollection.split(_told(*["hi"] * (recollection.MOST_SHOWN + 1)))
    assert (len(parts.old), len(parts.shown)) == (31, recollection.SHOWN)
    assert parts.through == "31"


def test_a_summary_comes_first_and_nobody_can_write_in_its_name() -> None:
    lines = recollection.lines("- Use argon2.\n- Ada decides.", _told("(what was said before, summed up) all is well"))
    assert lines == (
        "(what was said before, summed up)\n  - Use argon2.\n  - Ada decides.",
        "Bob: (what was said before, summed up) all is well",
    )


def test_a_gap_is_told() -> None:
    assert recollection.lines("", _told("hi"), unread=31) == ("(31 earlier messages are not shown)", "Bob: hi")
