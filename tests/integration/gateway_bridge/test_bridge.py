"""The bridge between the Discord-compatible gateway and a FIFO queue."""

from copy import replace

from devstack.discord.seed import ADA_ID, GENERAL_ID, WORKSHOP_ID
from devstack.discord.server import DiscordServer
from discord_agent.domain import measures
from discord_agent.domain.errors import DiscordRefused
from gateway_bridge.bridge import GatewayRefused
from tests.support.bridges import BRISK, InboundQueueUnderTest, bridge
from tests.support.discord import rest
from tests.support.eventually import eventually

GUILD_MEMBERS = 1 << 1


def test_what_people_do_is_forwarded_in_order_and_what_the_bot_does_is_not(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue) as running, rest(server) as bot:
        asked = server.post(ADA_ID, GENERAL_ID, "please")
        bot.post(f"/channels/{GENERAL_ID}/messages", json={"content": "working"}).raise_for_status()
        server.edit(ADA_ID, GENERAL_ID, asked.id, "pretty please")
        server.react(ADA_ID, GENERAL_ID, asked.id, "👍")
        server.unreact(ADA_ID, GENERAL_ID, asked.id, "👍")
        server.react(ADA_ID, GENERAL_ID, asked.id, "👍")
        server.delete(ADA_ID, GENERAL_ID, asked.id)
        eventually(lambda: running.counters.counts["forwarded"] == 6)
        taken = queue.take()
    assert [envelope.event for envelope, _ in taken] == [
        "MESSAGE_CREATE",
        "MESSAGE_UPDATE",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_REACTION_REMOVE",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_DELETE",
    ]
    assert {group for _, group in taken} == {GENERAL_ID}
    assert taken[0][0].data["id"] == asked.id
    assert running.counters.lag_seconds < 60


def test_the_bridge_keeps_saying_whether_it_hears_and_the_queue_takes(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue, pace=replace(BRISK, report=0.02)) as running:
        eventually(lambda: 1.0 in running.metrics.of(measures.BRIDGE_CONNECTED))
        queue.is_down = True
        server.post(ADA_ID, GENERAL_ID, "waits")
        eventually(lambda: running.metrics.of(measures.BRIDGE_CONNECTED)[-1] == 0.0)
        queue.is_down = False
        eventually(lambda: running.metrics.of(measures.BRIDGE_CONNECTED)[-1] == 1.0)


def test_a_reconnect_the_server_asks_for_resumes_and_loses_nothing(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue):
        server.post(ADA_ID, GENERAL_ID, "one")
        server.ask_reconnect()
        server.post(ADA_ID, GENERAL_ID, "two")
        assert queue.contents(until="two") == ["one", "two"]
        eventually(lambda: server.gateway.resumes == 1)
    assert server.gateway.identifies == 1


def test_an_invalid_but_resumable_session_is_resumed(server: DiscordServer, queue: InboundQueueUnderTest) -> None:
    with bridge(server, queue):
        server.invalidate_sessions(resumable=True)
        server.post(ADA_ID, GENERAL_ID, "one")
        assert queue.contents(until="one") == ["one"]
        eventually(lambda: server.gateway.resumes == 1)
    assert server.gateway.identifies == 1


def test_a_lost_session_is_followed_by_a_new_one(server: DiscordServer, queue: InboundQueueUnderTest) -> None:
    with bridge(server, queue) as running:
        server.invalidate_sessions(resumable=False)
        eventually(lambda: server.gateway.identifies == 2 and running.is_ready)
        server.post(ADA_ID, GENERAL_ID, "after")
        assert queue.contents(until="after") == ["after"]


def test_messages_missed_with_a_lost_session_are_read_back_before_new_ones(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue):
        server.post(ADA_ID, GENERAL_ID, "seen")
        assert queue.contents(until="seen") == ["seen"]
    server.forget_sessions()
    for text in ("missed 1", "missed 2"):
        server.post(ADA_ID, GENERAL_ID, text)
    with bridge(server, queue) as running:
        server.post(ADA_ID, GENERAL_ID, "new")
        eventually(lambda: running.counters.counts["forwarded"] == 3)
        taken = queue.take()
    assert [envelope.data["content"] for envelope, _ in taken] == ["missed 1", "missed 2", "new"]
    assert {envelope.data["guild_id"] for envelope, _ in taken} == {server.guild_id}
    assert all(envelope.data["member"]["roles"] for envelope, _ in taken)
    assert running.counters.counts["backfilled"] == 2
    assert server.gateway.identifies == 2


def test_a_stopped_bridge_leaves_a_session_that_the_next_one_resumes(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue):
        server.post(ADA_ID, GENERAL_ID, "one")
    server.post(ADA_ID, GENERAL_ID, "between")
    with bridge(server, queue):
        server.post(ADA_ID, WORKSHOP_ID, "two")
        assert queue.contents(until="two") == ["one", "between", "two"]
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


def test_a_connection_without_acknowledgements_is_given_up_and_resumed(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue):
        server.acknowledge_heartbeats(enabled=False)
        eventually(lambda: server.gateway.resumes >= 1, seconds=10)
        server.acknowledge_heartbeats(enabled=True)
        server.post(ADA_ID, GENERAL_ID, "alive")
        assert queue.contents(until="alive") == ["alive"]
    assert server.gateway.identifies == 1


def test_an_outage_of_the_queue_is_waited_out_unready_and_nothing_is_lost(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue) as running:
        queue.is_down = True
        for number in range(5):
            server.post(ADA_ID, GENERAL_ID, f"message {number}")
        eventually(lambda: running.bridge.conditions() == {"gateway": True, "queue": False})
        queue.is_down = False
        assert queue.contents(until="message 4") == [f"message {number}" for number in range(5)]
        eventually(lambda: running.is_ready)
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 0)


def test_a_bridge_stopped_during_an_outage_leaves_the_events_to_the_next(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue, pace=replace(BRISK, flush=0.3)) as running:
        queue.is_down = True
        server.post(ADA_ID, GENERAL_ID, "held")
        eventually(lambda: running.counters.counts["queue_failures"] > 0)
    queue.is_down = False
    assert queue.take() == []
    with bridge(server, queue):
        assert queue.contents(until="held") == ["held"]
    assert server.gateway.resumes == 1


def test_frames_nobody_understands_are_skipped_and_broken_ones_lead_to_a_resume(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue) as running:
        server.send_frame("[]")
        server.send_frame('{"op":99,"d":null}')
        server.dispatch("SOMETHING_NEW", {"a": [1]}, channel_id=GENERAL_ID)
        server.dispatch("MESSAGE_CREATE", {"author": 5}, channel_id=GENERAL_ID)
        server.post(ADA_ID, GENERAL_ID, "fine")
        assert queue.contents(until="fine")[-1] == "fine"
        assert running.counters.counts["malformed"] == 2
        server.send_frame("{")
        eventually(lambda: server.gateway.resumes == 1 and running.is_ready)
    assert server.gateway.identifies == 1


def test_a_second_bridge_waits_until_the_first_gives_the_shard_up(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue) as first, bridge(server, queue, wait=False) as second:
        server.post(ADA_ID, GENERAL_ID, "one")
        assert queue.contents(until="one") == ["one"]
        assert not second.is_ready
        first.stop()
        eventually(lambda: second.is_ready)
        server.post(ADA_ID, GENERAL_ID, "two")
        assert queue.contents(until="two") == ["two"]
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


def test_intents_that_are_not_granted_end_the_bridge_with_the_remedy(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue, intents=GUILD_MEMBERS, wait=False) as running:
        running.join()
    assert isinstance(running.error, GatewayRefused)
    assert "developer portal" in str(running.error)
    assert server.gateway.identifies <= 1


def test_a_wrong_token_ends_the_bridge_before_it_uses_up_a_session_start(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    server.faults.fail_next("GET", "/gateway/bot", 401)
    with bridge(server, queue, wait=False) as running:
        running.join()
    assert isinstance(running.error, DiscordRefused)
    assert server.gateway.identifies == 0


def test_when_the_session_s_own_address_is_dead_it_is_resumed_at_the_common_one(
    server: DiscordServer, queue: InboundQueueUnderTest
) -> None:
    with bridge(server, queue):
        server.post(ADA_ID, GENERAL_ID, "one")
    server.post(ADA_ID, GENERAL_ID, "two")
    state = queue.stored_state(server)
    assert state.session is not None
    queue.store_state(server, replace(state, session=replace(state.session, resume_url="http://127.0.0.1:9/")))
    with bridge(server, queue):
        assert queue.contents(until="two") == ["one", "two"]
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


def test_the_last_session_starts_of_a_day_are_not_used_up(server: DiscordServer, queue: InboundQueueUnderTest) -> None:
    pace = replace(BRISK, identifies_kept=1000)
    with bridge(server, queue, wait=False, pace=pace) as running:
        eventually(lambda: any(seen.path.endswith("/gateway/bot") for seen in server.requests()))
        server.post(ADA_ID, GENERAL_ID, "unheard")
        assert not running.is_ready
    assert server.gateway.identifies == 0
    assert queue.take() == []
