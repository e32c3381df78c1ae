"""The REST adapter against the Discord-compatible server."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import replace

import pytest

from devstack.discord.rules import Window, relaxed
from devstack.discord.seed import ADA_ID, GENERAL_ID
from devstack.discord.server import DiscordServer
from discord_agent.adapters.discord.client import Timing
from discord_agent.adapters.discord.inbound import BotIdentity
from discord_agent.adapters.discord.rest import RestDiscord
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable
from discord_agent.domain.ids import ChannelId, MessageId, UserId
from discord_agent.domain.posts import Button, ButtonStyle, Embed, Field, Post, UploadFile
from tests.support.discord import running

CHANNEL = ChannelId(GENERAL_ID)


@pytest.fixture
def server() -> Iterator[DiscordServer]:
    with running() as server:
        yield server


@contextmanager
def connected(
    server: DiscordServer, *, token: str | None = None, timing: Timing | None = None
) -> Iterator[RestDiscord]:
    bot = BotIdentity(UserId(server.bot_id), "nepnep")
    discord = RestDiscord.connect(api_url=server.api_url, token=lambda: token or server.token, bot=bot, timing=timing)
    with closing(discord):
        yield discord


@pytest.fixture
def discord(server: DiscordServer) -> Iterator[RestDiscord]:
    with connected(server) as discord:
        yield discord


def test_a_message_with_card_buttons_and_files_arrives_and_can_be_edited(
    server: DiscordServer, discord: RestDiscord
) -> None:
    asked = server.post(ADA_ID, CHANNEL, "please")
    post = Post(
        content="@everyone working",
        embeds=(Embed("Run", "step 1", fields=(Field("turns", "1"),), footer="m-1"),),
        buttons=((Button("Stop", "stop:m-1", ButtonStyle.DANGER, "🛑"),),),
        files=(UploadFile("change.diff", b"+1\n"),),
        reply_to=asked.id,
    )
    sent = discord.send(CHANNEL, post, nonce="m-1/card/0")
    discord.edit(CHANNEL, sent, Post("done"))
    message = server.messages(CHANNEL)[-1]
    assert (message.id, message.content) == (sent, "done")
    assert len(message.attachments) == 1
    assert not message.mention_everyone


def test_the_same_nonce_sends_nothing_twice_and_another_does(server: DiscordServer, discord: RestDiscord) -> None:
    first = discord.send(CHANNEL, Post("once"), nonce="m-1/answer/0")
    assert discord.send(CHANNEL, Post("once"), nonce="m-1/answer/0") == first
    assert discord.send(CHANNEL, Post("once"), nonce="m-1/answer/1") != first
    assert len(server.messages(CHANNEL)) == 2


def test_a_send_whose_answer_was_lost_is_repeated_without_a_second_message(
    server: DiscordServer, discord: RestDiscord
) -> None:
    server.faults.fail_next("POST", "/channels/{channel}/messages", 502, after=True)
    sent = discord.send(CHANNEL, Post("once"), nonce="m-1/answer/0")
    assert [message.id for message in server.messages(CHANNEL)] == [sent]


def test_a_thread_is_started_once_named_and_recognised(server: DiscordServer, discord: RestDiscord) -> None:
    asked = server.post(ADA_ID, CHANNEL, "please")
    thread = discord.start_thread(CHANNEL, MessageId(asked.id), "Mend the tests")
    assert thread == asked.id
    assert discord.start_thread(CHANNEL, MessageId(asked.id), "again") == thread
    discord.rename(ChannelId(thread), "Mended")
    assert discord.place(ChannelId(thread)).is_thread
    assert not discord.place(CHANNEL).is_thread
    discord.typing(ChannelId(thread))


def test_reactions_are_added_once(server: DiscordServer, discord: RestDiscord) -> None:
    sent = discord.send(CHANNEL, Post("vote"), nonce="n")
    for _ in range(2):
        discord.react(CHANNEL, sent, "👍")
    [reaction] = server.messages(CHANNEL)[-1].reactions
    assert reaction["users"] == [server.bot_id]


def test_history_and_attachments_come_back(server: DiscordServer, discord: RestDiscord) -> None:
    sent = discord.send(CHANNEL, Post("see file", files=(UploadFile("a.txt", b"hello"),)), nonce="n")
    server.post(ADA_ID, CHANNEL, f"<@{server.bot_id}> thanks")
    first, second = discord.history(CHANNEL, limit=10)
    assert (first.id, first.author.is_bot, first.content) == (sent, True, "see file")
    assert (second.author.id, second.mentions_bot) == (ADA_ID, True)
    assert discord.download(first.attachments[0], limit=5) == b"hello"
    with pytest.raises(DiscordRefused):
        discord.download(first.attachments[0], limit=4)


def test_the_history_of_a_long_channel_is_read_whole_or_from_a_message_on(
    server: DiscordServer, discord: RestDiscord
) -> None:
    ids = [server.post(ADA_ID, CHANNEL, f"message {number}").id for number in range(230)]
    assert [message.id for message in discord.history(CHANNEL, limit=1000)] == ids
    assert [message.id for message in discord.history(CHANNEL, limit=1000, after=MessageId(ids[99]))] == ids[100:]
    assert [message.id for message in discord.history(CHANNEL, limit=20, after=MessageId(ids[99]))] == ids[-20:]


def test_real_limits_are_kept_without_a_single_429() -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    rules = replace(relaxed(), message_creates=Window(2, 0.3))
    with running(rules) as server, connected(server, timing=Timing(sleep=wait)) as discord:
        for number in range(5):
            discord.send(CHANNEL, Post(f"message {number}"), nonce=str(number))
        assert [message.content for message in server.messages(CHANNEL)] == [f"message {n}" for n in range(5)]
        assert {seen.status for seen in server.requests()} == {200}
    assert waits


def test_a_long_limit_is_handed_back_with_its_time(server: DiscordServer, discord: RestDiscord) -> None:
    server.faults.fail_next("POST", "/channels/{channel}/messages", 429, body={"retry_after": 300.0, "global": False})
    with pytest.raises(DiscordUnavailable) as caught:
        discord.send(CHANNEL, Post("x"), nonce="n")
    assert caught.value.retry_after == 300


def test_a_wrong_token_an_unknown_channel_and_a_foreign_message_are_refused(
    server: DiscordServer, discord: RestDiscord
) -> None:
    with connected(server, token="wrong") as stranger, pytest.raises(DiscordRefused) as caught:
        stranger.typing(CHANNEL)
    assert caught.value.status == 401
    with pytest.raises(DiscordRefused) as caught:
        discord.send(ChannelId("1"), Post("x"), nonce="n")
    assert (caught.value.status, caught.value.code) == (404, 10003)
    message = server.post(ADA_ID, CHANNEL, "mine")
    with pytest.raises(DiscordRefused) as caught:
        discord.edit(CHANNEL, MessageId(message.id), Post("yours"))
    assert caught.value.status == 403
