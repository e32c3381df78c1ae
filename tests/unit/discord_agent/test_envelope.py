from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.errors import InvalidEvent
from discord_agent.envelope import MAX_BODY, Envelope, Kind, deduplication_id, group_id

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REACTION = {"user_id": "1", "channel_id": "2", "message_id": "3", "emoji": {"id": None, "name": "👍"}}


def test_an_envelope_comes_back_as_it_was_written() -> None:
    envelope = Envelope.of_dispatch("MESSAGE_CREATE", {"id": "1", "content": "hé 👍"}, NOW)
    assert Envelope.read(envelope.write()) == envelope


def test_a_body_holds_ascii_only_because_the_queue_refuses_some_characters() -> None:
    envelope = Envelope.of_dispatch("MESSAGE_CREATE", {"content": "\uffff\x00👍"}, NOW)
    assert envelope.write().isascii()
    assert envelope.write().isprintable()
    assert Envelope.read(envelope.write()) == envelope


@pytest.mark.parametrize("content", ["\ud800", "x" * MAX_BODY])
def test_an_event_no_queue_would_take_is_refused(content: str) -> None:
    with pytest.raises(InvalidEvent):
        Envelope.of_dispatch("MESSAGE_CREATE", {"content": content}, NOW).write()


def test_both_ways_in_give_an_interaction_the_same_event_name() -> None:
    posted = Envelope.of_interaction({"id": "1"}, NOW)
    assert (posted.kind, posted.event) == (Kind.INTERACTION, "INTERACTION_CREATE")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "\ud800",
        "[]",
        "{}",
        '{"v":2,"kind":"dispatch","event":"X","data":{},"received_at":"2026-11-22T12:00:00Z"}',
        '{"v":1,"kind":"dispatch","event":"X","data":[],"received_at":"2026-11-22T12:00:00Z"}',
        '{"v":1,"kind":"dispatch","event":"X","data":{},"received_at":"2026-11-22T12:00:00"}',
        pytest.param('{"v":1,"data":' + '{"a":' * 100_000, id="deeper than anybody nests"),
    ],
)
def test_a_body_that_is_no_envelope_is_an_invalid_event(body: str) -> None:
    with pytest.raises(InvalidEvent):
        Envelope.read(body)


@pytest.mark.parametrize("document", [{}, {"v": 1, "kind": "dispatch", "event": "X", "data": []}])
def test_a_document_that_is_no_envelope_is_an_invalid_event(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        Envelope.of_document(document)


def test_the_group_is_the_place_whose_events_must_stay_in_order() -> None:
    assert group_id("MESSAGE_CREATE", {"id": "1", "channel_id": "2"}) == "2"
    assert group_id("THREAD_DELETE", {"id": "1", "parent_id": "2"}) == "1"
    assert group_id("GUILD_DELETE", {"id": "9"}) == "9"
    assert group_id("SOMETHING", {}) == "none"


def test_a_message_and_the_thread_it_starts_do_not_share_a_deduplication_id() -> None:
    assert deduplication_id("MESSAGE_CREATE", {"id": "7"}) != deduplication_id("THREAD_DELETE", {"id": "7"})


def test_a_message_keeps_its_deduplication_id_in_another_session() -> None:
    data = {"id": "7", "channel_id": "2"}
    assert deduplication_id("MESSAGE_CREATE", data, occurrence="a/1") == deduplication_id(
        "MESSAGE_CREATE", data, occurrence="b/9"
    )


def test_a_reaction_given_again_is_another_event_and_a_replayed_one_is_not() -> None:
    first = deduplication_id("MESSAGE_REACTION_ADD", REACTION, occurrence="s/1")
    assert first == deduplication_id("MESSAGE_REACTION_ADD", dict(REACTION), occurrence="s/1")
    assert first != deduplication_id("MESSAGE_REACTION_ADD", REACTION, occurrence="s/3")
    assert first != deduplication_id("MESSAGE_REACTION_REMOVE", REACTION, occurrence="s/1")


def test_two_edits_of_a_message_are_two_events() -> None:
    first = {"id": "7", "edited_timestamp": "2026-11-22T12:00:00Z", "content": "a"}
    assert deduplication_id("MESSAGE_UPDATE", first) != deduplication_id(
        "MESSAGE_UPDATE", first | {"edited_timestamp": "2026-11-22T12:00:01Z"}
    )


@given(st.text(max_size=60), st.dictionaries(st.text(max_size=10), st.text(max_size=300), max_size=5))
def test_ids_always_fit_the_queue(event: str, data: dict[str, Any]) -> None:
    assert 1 <= len(deduplication_id(event, data)) <= 128
    assert group_id(event, data)
