"""A thread's history as the Discord-compatible server tells it, page by page."""

from contextlib import closing
from copy import replace

from devstack.discord.seed import ADA_ID, GENERAL_ID
from discord_agent.adapters.discord.inbound import BotIdentity
from discord_agent.adapters.discord.rest import RestDiscord
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.ids import ChannelId, MessageId, ThreadId, UserId
from discord_agent.domain.posts import Post
from tests.support.discord import running
from tests.support.fakes.models import says
from tests.support.fakes.world import World

HERE = ThreadId(GENERAL_ID)


def test_a_thread_of_several_pages_is_told_whole_and_grows_from_its_summary() -> None:
    world = World()
    world.plays(says("- One to 180."), says("- One to 280."), purpose=Purpose.SUMMARIZE)
    with running() as server:
        bot = BotIdentity(UserId(server.bot_id), "nepnep")
        with closing(RestDiscord.connect(api_url=server.api_url, token=lambda: server.token, bot=bot)) as discord:
            recall = replace(world.recall(), discord=discord)
            ids = [server.post(ADA_ID, GENERAL_ID, f"number {number}").id for number in range(1, 231)]
            nobodys = MessageId("1")
            first = recall.whole(HERE, without=nobodys, purse=world.model)
            assert world.sessions.get(HERE).summarized_through == ids[179]
            discord.send(ChannelId(HERE), Post("I listen."), nonce="n")
            for number in range(231, 331):
                server.post(ADA_ID, GENERAL_ID, f"number {number}")
            second = recall.whole(HERE, without=nobodys, purse=world.model)

    assert first[0].endswith("- One to 180.")
    assert [line.rpartition(" ")[2] for line in first[1:]] == [str(number) for number in range(181, 231)]
    shown = world.prompts.values_of("summarize_request")
    assert shown["summary"] == "- One to 180."
    assert (len(shown["history"]), shown["history"][50].endswith(": I listen.")) == (101, True)
    assert second[0].endswith("- One to 280.")
    assert [line.rpartition(" ")[2] for line in second[1:]] == [str(number) for number in range(281, 331)]
