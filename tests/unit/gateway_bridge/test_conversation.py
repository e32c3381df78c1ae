import json
from typing import Any

import pytest

from gateway_bridge.conversation import (
    Action,
    Conversation,
    Credentials,
    Deliver,
    Established,
    Leave,
    Reconnect,
    Send,
    Skip,
    StartHeart,
    after_close,
    gateway_address,
    remedy,
)
from gateway_bridge.state import Session

CREDENTIALS = Credentials("bot-token", 46593, (0, 1))
SESSION = Session("abc", "wss://resume.example")


def fresh() -> Conversation:
    return Conversation(CREDENTIALS, None, None)


def known(sequence: int = 7) -> Conversation:
    return Conversation(CREDENTIALS, SESSION, sequence)


def tell(
    conversation: Conversation, op: int, d: Any = None, s: int | None = None, t: str | None = None
) -> list[Action]:
    return list(conversation.receive(json.dumps({"op": op, "d": d, "s": s, "t": t})))


READY = {"session_id": "abc", "resume_gateway_url": "wss://resume.example", "v": 10, "user": {"id": "900"}}


def test_without_a_session_hello_is_answered_by_an_identify() -> None:
    assert tell(fresh(), 10, {"heartbeat_interval": 41250}) == [
        StartHeart(41.25),
        Send(
            {
                "op": 2,
                "d": {
                    "token": "bot-token",
                    "intents": 46593,
                    "shard": [0, 1],
                    "properties": {"os": "linux", "browser": "discord-agent", "device": "discord-agent"},
                },
            }
        ),
    ]


def test_with_a_session_hello_is_answered_by_a_resume() -> None:
    assert tell(known(), 10, {"heartbeat_interval": 1000}) == [
        StartHeart(1.0),
        Send({"op": 6, "d": {"token": "bot-token", "session_id": "abc", "seq": 7}}),
    ]


@pytest.mark.parametrize("data", [None, {}, {"heartbeat_interval": 0}, {"heartbeat_interval": "soon"}, []])
def test_a_hello_without_an_interval_ends_the_connection(data: Any) -> None:
    assert tell(fresh(), 10, data) == [Leave(Reconnect.RESUME, wait=True)]


def test_ready_establishes_a_new_session() -> None:
    conversation = fresh()
    assert tell(conversation, 0, READY, 1, "READY") == [Established(SESSION, 1, resumed=False)]
    assert (conversation.session, conversation.sequence) == (SESSION, 1)


def test_a_ready_that_cannot_be_resumed_later_is_not_taken() -> None:
    assert tell(fresh(), 0, {"session_id": 5}, 1, "READY") == [Leave(Reconnect.IDENTIFY, wait=True)]


def test_resumed_establishes_the_old_session() -> None:
    conversation = known()
    assert tell(conversation, 0, {"id": "1"}, 8, "MESSAGE_CREATE") == [Deliver("MESSAGE_CREATE", {"id": "1"}, 8)]
    assert tell(conversation, 0, {}, 9, "RESUMED") == [Established(SESSION, 9, resumed=True)]


def test_heartbeats_carry_the_last_sequence_number() -> None:
    conversation = fresh()
    assert conversation.beat(listening=True) == Send({"op": 1, "d": None})
    tell(conversation, 11)
    tell(conversation, 0, {}, 42, "X")
    assert conversation.beat(listening=True) == Send({"op": 1, "d": 42})


def test_a_heartbeat_the_server_asks_for_is_sent_at_once() -> None:
    assert tell(known(), 1) == [Send({"op": 1, "d": 7})]


def test_a_missing_acknowledgement_means_a_dead_connection() -> None:
    conversation = known()
    conversation.beat(listening=True)
    assert conversation.beat(listening=True) == Leave(Reconnect.RESUME)


def test_a_missing_acknowledgement_proves_nothing_while_we_do_not_listen() -> None:
    conversation = known()
    conversation.beat(listening=True)
    assert conversation.beat(listening=False) == Send({"op": 1, "d": 7})


def test_an_acknowledged_connection_lives_on() -> None:
    conversation = known()
    for _ in range(3):
        assert isinstance(conversation.beat(listening=True), Send)
        assert tell(conversation, 11) == []


@pytest.mark.parametrize(
    ("op", "data", "expected"),
    [
        (7, None, Leave(Reconnect.RESUME)),
        (9, True, Leave(Reconnect.RESUME, wait=True)),
        (9, False, Leave(Reconnect.IDENTIFY, wait=True)),
        (9, None, Leave(Reconnect.IDENTIFY, wait=True)),
    ],
)
def test_the_server_can_ask_to_reconnect_or_to_begin_anew(op: int, data: Any, expected: Leave) -> None:
    assert tell(known(), op, data) == [expected]


def test_a_frame_that_is_no_json_makes_us_ask_again_by_a_resume() -> None:
    assert list(known().receive("{")) == [Leave(Reconnect.RESUME, wait=True)]
    assert list(known().receive(b"\xff")) == [Leave(Reconnect.RESUME, wait=True)]


@pytest.mark.parametrize("frame", [[], 5, None, {}, {"op": 99}, {"op": "0"}, {"op": None}])
def test_frames_of_no_known_kind_are_skipped(frame: Any) -> None:
    actions = list(known().receive(json.dumps(frame)))
    assert [type(action) for action in actions] == [Skip]


@pytest.mark.parametrize(("event", "data"), [(None, {}), ("X", None), ("X", []), (5, {})])
def test_a_malformed_dispatch_is_skipped_but_counted_in_the_sequence(event: Any, data: Any) -> None:
    conversation = known()
    (action,) = list(conversation.receive(json.dumps({"op": 0, "s": 8, "t": event, "d": data})))
    assert isinstance(action, Skip)
    assert (action.sequence, conversation.sequence) == (8, 8)


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
def test_after_some_codes_nobody_reconnects_and_a_remedy_is_named(code: int) -> None:
    assert after_close(code) is Reconnect.NEVER
    assert str(code) not in remedy(code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (4007, Reconnect.IDENTIFY),
        (4009, Reconnect.IDENTIFY),
        *((code, Reconnect.RESUME) for code in (None, 1000, 1001, 1006, 4000, 4001, 4002, 4003, 4005, 4008, 4900)),
    ],
)
def test_other_codes_lead_to_a_resume_or_a_new_session(code: int | None, expected: Reconnect) -> None:
    assert after_close(code) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://gateway.example", "wss://gateway.example?v=10&encoding=json"),
        ("wss://gateway.example/some/path?x=1", "wss://gateway.example/some/path?x=1&v=10&encoding=json"),
        ("wss://gateway.example/?v=9", "wss://gateway.example/?v=10&encoding=json"),
        ("http://127.0.0.1:1/gateway", "ws://127.0.0.1:1/gateway?v=10&encoding=json"),
    ],
)
def test_an_address_keeps_its_path_and_gets_version_and_encoding(url: str, expected: str) -> None:
    assert gateway_address(url) == expected


def test_the_token_is_in_no_representation() -> None:
    assert "bot-token" not in repr(CREDENTIALS)
