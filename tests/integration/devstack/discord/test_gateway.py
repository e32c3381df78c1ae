import json
import zlib
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from devstack.discord.rules import Rules, Window, relaxed
from devstack.discord.seed import ADA_ID, BOT_ID, GENERAL_ID, GUILD_ID, Bot
from tests.support.discord import gateway, rest, running
from tests.support.eventually import eventually


def test_hello_identify_ready_and_the_guild_follow_each_other() -> None:
    with running() as server, gateway(server) as client:
        ready = client.identify(server.token)
        guild = client.receive()
    assert client.hello == {"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None}
    assert (ready["op"], ready["s"], ready["t"], ready["d"]["user"]["id"]) == (0, 1, "READY", BOT_ID)
    assert ready["d"]["resume_gateway_url"] == f"ws://127.0.0.1:{server.port}/gateway/resume"
    assert (guild["t"], guild["s"], guild["d"]["id"]) == ("GUILD_CREATE", 2, GUILD_ID)
    assert {channel["name"] for channel in guild["d"]["channels"]} == {"general", "workshop", "random"}


def test_a_heartbeat_is_acknowledged_unless_the_fault_is_on() -> None:
    with running() as server, gateway(server) as client:
        client.send(1, None)
        assert client.receive()["op"] == 11
        server.acknowledge_heartbeats(enabled=False)
        client.send(1, None)
        client.identify(server.token)
        assert client.sequence == 1


def test_a_client_without_heartbeats_is_closed_with_4009() -> None:
    rules = Rules(heartbeat_interval=0.05)
    with running(rules) as server, gateway(server) as client:
        assert client.close_code() == 4009


def test_a_person_s_message_arrives_with_guild_and_member() -> None:
    with running() as server, gateway(server) as client:
        client.identify(server.token)
        sent = server.post(ADA_ID, GENERAL_ID, f"<@{BOT_ID}> hello")
        data = client.until("MESSAGE_CREATE")
    assert (data["id"], data["content"], data["guild_id"]) == (sent.id, f"<@{BOT_ID}> hello", GUILD_ID)
    assert [user["id"] for user in data["mentions"]] == [BOT_ID]
    assert data["author"]["username"] == "ada"
    assert data["member"]["roles"]


def test_without_the_content_intent_only_mentions_are_readable() -> None:
    with running() as server, gateway(server) as client:
        client.identify(server.token, intents=13825)
        server.post(ADA_ID, GENERAL_ID, "secret plans")
        hidden = client.until("MESSAGE_CREATE")
        server.post(ADA_ID, GENERAL_ID, f"<@{BOT_ID}> hi")
        shown = client.until("MESSAGE_CREATE")
    assert hidden["content"] == ""
    assert shown["content"] == f"<@{BOT_ID}> hi"


def test_an_ungranted_privileged_intent_closes_with_4014() -> None:
    with running(bot=Bot(message_content=False)) as server, gateway(server) as client:
        client.send(2, {"token": server.token, "intents": 46593, "properties": {}})
        assert client.close_code() == 4014


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", 4002),
        (json.dumps({"op": 2, "d": {"token": "x" * 5000}}), 4002),
        (json.dumps({"op": 99, "d": None}), 4001),
        (json.dumps({"op": 3, "d": {}}), 4003),
        (json.dumps({"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}}), 4004),
        (json.dumps({"op": 6, "d": {"token": "wrong", "session_id": "a", "seq": 1}}), 4004),
    ],
)
def test_bad_frames_close_with_their_code(frame: str, code: int) -> None:
    with running() as server, gateway(server) as client:
        client.socket.send(frame)
        assert client.close_code() == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"intents": 1 << 30}, 4013), ({"intents": 1, "shard": [2, 2]}, 4010)],
)
def test_bad_identifies_close_with_their_code(fields: dict[str, Any], code: int) -> None:
    with running() as server, gateway(server) as client:
        client.send(2, {"token": server.token, "properties": {}, **fields})
        assert client.close_code() == code


def test_a_second_identify_closes_with_4005() -> None:
    with running() as server, gateway(server) as client:
        client.identify(server.token)
        client.send(2, {"token": server.token, "intents": 1, "properties": {}})
        assert client.close_code() == 4005


def test_a_wrong_version_closes_with_4012() -> None:
    with running() as server, connect(f"ws://127.0.0.1:{server.port}/gateway?v=6") as socket:
        with pytest.raises(ConnectionClosedError):
            socket.recv(5)
        assert socket.close_code == 4012


def test_a_resume_tells_what_was_missed_in_order_then_resumed() -> None:
    with running() as server:
        with gateway(server) as first:
            session = first.identify(server.token)["d"]["session_id"]
            first.receive()
            sequence = first.sequence
        eventually(lambda: not server.gateway.connected)
        one = server.post(ADA_ID, GENERAL_ID, "one")
        two = server.post(ADA_ID, GENERAL_ID, "two")
        with gateway(server) as second:
            second.resume(server.token, session, sequence)
            frames = [second.receive() for _ in range(3)]
    assert [frame["t"] for frame in frames] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]
    assert [frame["d"].get("id") for frame in frames] == [one.id, two.id, None]
    assert [frame["s"] for frame in frames] == [3, 4, 5]


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_normal_close_by_the_client_ends_the_session(code: int) -> None:
    with running() as server:
        with gateway(server) as client:
            session = client.identify(server.token)["d"]["session_id"]
            client.socket.close(code)
        eventually(lambda: not server.gateway.connected)
        with gateway(server) as second:
            second.resume(server.token, session, 1)
            assert second.receive() == {"op": 9, "d": False, "s": None, "t": None}


def test_a_sequence_from_the_future_closes_with_4007() -> None:
    with running() as server:
        with gateway(server) as first:
            session = first.identify(server.token)["d"]["session_id"]
        with gateway(server) as second:
            second.resume(server.token, session, 99)
            assert second.close_code() == 4007


def test_a_session_that_missed_more_than_the_buffer_holds_is_invalid() -> None:
    rules = Rules(replay_buffer=2)
    with running(rules) as server:
        with gateway(server) as first:
            session = first.identify(server.token)["d"]["session_id"]
        eventually(lambda: not server.gateway.connected)
        for number in range(3):
            server.post(ADA_ID, GENERAL_ID, str(number))
        with gateway(server) as second:
            second.resume(server.token, session, 2)
            assert (second.receive()["op"], second.socket.close_code) == (9, None)


def test_reconnect_and_invalid_session_are_sent_on_demand() -> None:
    with running() as server, gateway(server) as client:
        client.identify(server.token)
        client.receive()
        server.ask_reconnect()
        assert client.receive()["op"] == 7
        server.invalidate_sessions(resumable=True)
        assert client.receive()["d"] is True
        server.invalidate_sessions(resumable=False)
        assert client.receive()["d"] is False
        server.post(ADA_ID, GENERAL_ID, "not told")
        client.send(1, None)
        assert client.receive()["op"] == 11


def test_dropped_connections_can_resume() -> None:
    with running() as server:
        with gateway(server) as first:
            session = first.identify(server.token)["d"]["session_id"]
            server.drop_connections(4000)
            assert first.close_code() == 4000
        with gateway(server) as second:
            second.resume(server.token, session, 2)
            assert second.receive()["t"] == "RESUMED"
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


def test_identifies_are_counted_and_come_to_an_end() -> None:
    rules = Rules(identifies=Window(2, 86_400), identify_concurrency=Window(16, 5))
    with running(rules) as server, rest(server) as client:
        before = client.get("/gateway/bot").json()["session_start_limit"]
        for _ in range(2):
            with gateway(server) as connection:
                connection.identify(server.token)
        after = client.get("/gateway/bot").json()["session_start_limit"]
        with gateway(server) as connection:
            connection.send(2, {"token": server.token, "intents": 1, "properties": {}})
            assert connection.close_code() == 4004
    assert (before["total"], before["remaining"], after["remaining"]) == (2, 2, 0)
    assert after["reset_after"] > 0


def test_two_identifies_at_once_are_one_too_many() -> None:
    with running(Rules()) as server, gateway(server) as first, gateway(server) as second:
        assert first.identify(server.token)["t"] == "READY"
        assert second.identify(server.token) == {"op": 9, "d": False, "s": None, "t": None}


def test_too_many_sends_close_with_4008() -> None:
    rules = Rules(gateway_sends=Window(3, 60))
    with running(rules) as server, gateway(server) as client:
        for _ in range(4):
            client.send(1, None)
        assert client.close_code() == 4008


def test_frames_are_compressed_as_one_stream_when_asked() -> None:
    with running() as server:
        inflate = zlib.decompressobj()
        with connect(f"ws://127.0.0.1:{server.port}/gateway?v=10&compress=zlib-stream") as socket:
            hello = json.loads(inflate.decompress(socket.recv(5, decode=False)))
            socket.send(json.dumps({"op": 1, "d": None}))
            ack = json.loads(inflate.decompress(socket.recv(5, decode=False)))
    assert (hello["op"], ack["op"]) == (10, 11)


def test_reactions_threads_and_deletions_are_dispatched() -> None:
    with running() as server, gateway(server) as client, rest(server) as api:
        client.identify(server.token)
        message = server.post(ADA_ID, GENERAL_ID, "work")
        thread = api.post(f"/channels/{GENERAL_ID}/messages/{message.id}/threads", json={"name": "Work"}).json()
        created = client.until("THREAD_CREATE")
        server.react(ADA_ID, GENERAL_ID, message.id, "🛑")
        added = client.until("MESSAGE_REACTION_ADD")
        server.unreact(ADA_ID, GENERAL_ID, message.id, "🛑")
        removed = client.until("MESSAGE_REACTION_REMOVE")
        server.delete(ADA_ID, GENERAL_ID, message.id)
        deleted = client.until("MESSAGE_DELETE")
        server.delete_thread(ADA_ID, thread["id"])
        gone = client.until("THREAD_DELETE")
    assert (created["id"], created["newly_created"], created["parent_id"]) == (message.id, True, GENERAL_ID)
    assert (added["emoji"]["name"], added["user_id"], added["member"]["user"]["id"]) == ("🛑", ADA_ID, ADA_ID)
    assert "member" not in removed
    assert deleted == {"id": message.id, "channel_id": GENERAL_ID, "guild_id": GUILD_ID}
    assert gone == {"id": message.id, "guild_id": GUILD_ID, "parent_id": GENERAL_ID, "type": 11}


def test_unknown_and_malformed_dispatches_can_be_sent() -> None:
    with running(relaxed()) as server, gateway(server) as client:
        client.identify(server.token)
        server.dispatch("NEW_THING", {"odd": None}, channel_id=GENERAL_ID)
        assert client.until("NEW_THING") == {"odd": None}
        server.send_frame('{"op": 0, "t":')
        with pytest.raises(ValueError, match="Expecting"):
            client.receive()
