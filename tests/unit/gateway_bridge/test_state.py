from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_bridge.state import LastSeen, Session, State, last_seen, read_state, write_state

SNOWFLAKES = st.integers(1, 10**18).map(str)
STATES = st.builds(
    State,
    session=st.none() | st.builds(Session, st.text(), st.text()),
    sequence=st.none() | st.integers(0),
    channels=st.dictionaries(SNOWFLAKES, st.builds(LastSeen, SNOWFLAKES, st.none() | SNOWFLAKES), max_size=5),
)


@given(STATES)
def test_every_state_comes_back_as_it_was_stored(state: State) -> None:
    assert read_state(write_state(state)) == state


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sequence":"x"}', '{"session":{"id":"a"}}'])
def test_a_damaged_state_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_state(text)


def test_the_newest_message_of_a_channel_is_kept_whatever_the_order() -> None:
    newer, older = LastSeen("1000"), LastSeen("999")
    assert State().saw("1", newer).saw("1", older).channels == {"1": newer}
    assert State().saw("1", older).saw("1", newer).channels == {"1": newer}


def test_only_the_channels_with_the_newest_messages_are_kept() -> None:
    state = State()
    for number in range(150):
        state = state.saw(str(number), LastSeen(str(1000 + number)))
    assert set(state.channels) == {str(number) for number in range(50, 150)}


def test_a_channel_that_is_gone_is_forgotten() -> None:
    assert State().saw("1", LastSeen("5")).forgot("1").forgot("2") == State()


def test_a_new_message_shows_its_channel() -> None:
    data: dict[str, Any] = {"id": "5", "channel_id": "1", "guild_id": "9"}
    assert last_seen("MESSAGE_CREATE", data) == ("1", LastSeen("5", "9"))
    assert last_seen("MESSAGE_CREATE", {"id": "5", "channel_id": "1"}) == ("1", LastSeen("5", None))


@pytest.mark.parametrize("data", [{}, {"id": 5, "channel_id": "1"}, {"id": "x", "channel_id": "1"}, {"id": "5"}])
def test_a_malformed_message_shows_no_channel(data: dict[str, Any]) -> None:
    assert last_seen("MESSAGE_CREATE", data) is None
    assert last_seen("MESSAGE_UPDATE", {"id": "5", "channel_id": "1"}) is None
