"""What the founding document promises, where no other story tells it: votes, files that come and go, memory, servers.

The other acceptance scenarios: a question in place and the operator's queries in ``test_conversation``, the main job in
``test_demo``, stopping in ``test_controls``, kubectl and options in ``test_scenarios``.
"""

import json
from collections.abc import Iterator
from copy import replace

import pytest
from mcp.server.mcpserver import MCPServer

from devstack.discord.seed import GENERAL_ID, GUILD_ID, RANDOM_ID, WORKSHOP_ID
from discord_agent.domain.ids import ChannelId, GuildId, ThreadId
from discord_agent.domain.policy import ChannelSettings
from discord_agent.domain.run import Outcome
from discord_agent.system import SYSTEM
from tests.support.story import IN_PROCESS, MENTION, SCRIPTS, Story, repository, story, until
from tests.support.tool_servers import Served, serving


@pytest.fixture(scope="module")
def almanac() -> Iterator[Served]:
    server = MCPServer("almanac")

    @server.tool()
    def tides(harbour: str) -> str:
        """Tell the tides of a harbour."""
        return f"High water in {harbour}: 12:00"

    with serving(server, token="t0ken-of-the-almanac") as served:
        yield served


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, almanac: Served) -> Iterator[Story]:
    folder = repository(tmp_path_factory.mktemp("bells"), {"README.md": "# Bells\n"})
    servers = [
        {"name": "almanac", "url": almanac.url, "secret": "almanac"},
        {"name": "ghost-ship", "url": "http://127.0.0.1:9/mcp"},
    ]
    secrets = {"almanac": {"value": "t0ken-of-the-almanac", "guilds": [GUILD_ID]}}
    options = replace(
        IN_PROCESS,
        script=SCRIPTS / "acceptance.yaml",
        repository=folder,
        parameters=(("MCP_SERVERS", json.dumps(servers)),),
        tool_secrets=json.dumps(secrets),
    )
    with story(options) as told:
        sessions, guild = told.records.sessions, GuildId(GUILD_ID)
        harbour = ChannelSettings(ChannelId(WORKSHOP_ID), mcp_servers=("almanac", "ghost-ship"))
        sessions.put_settings(guild, replace(sessions.settings(guild), channels=(harbour,)))
        yield told


def test_thumbs_move_the_confidence_of_a_thread_and_the_next_plan_sees_it(scene: Story) -> None:
    request = scene.ask("what is a lock?", channel=RANDOM_ID)
    request.ended()
    place = ThreadId(request.thread)

    def confidence() -> int:
        return scene.records.sessions.get(place).confidence

    assert confidence() == 80
    scene.ada.react(RANDOM_ID, request.ending.id, "👍")
    until(lambda: confidence() == 95)
    scene.linus.react(RANDOM_ID, request.ending.id, "👎")
    until(lambda: confidence() == 75)
    scene.linus.unreact(RANDOM_ID, request.ending.id, "👎")
    until(lambda: confidence() == 95)
    scene.linus.react(RANDOM_ID, request.ending.id, "👎")
    until(lambda: confidence() == 75)


def test_a_run_in_a_thread_that_was_voted_on_is_planned_with_its_confidence(scene: Story) -> None:
    first = scene.ask("write the first bell")
    first.ended()
    before = scene.records.sessions.get(ThreadId(first.thread)).confidence
    scene.ada.react(first.thread, first.card.id, "👍")
    until(lambda: scene.records.sessions.get(ThreadId(first.thread)).confidence == min(before + 15, 100))
    second = scene.request(scene.ada.say(first.thread, "write the second bell"), first.thread)
    until(lambda: second.has(lambda record: record.terminal_message_id))
    (planned,) = scene.calls("plan", "write the second bell")
    assert str(min(before + 15, 100)) in planned.messages[-1]["content"]
    assert "Look for cracks before ringing." in planned.messages[-1]["content"]
    assert "Bells crack in the cold." in planned.messages[-1]["content"]
    opening = scene.calls("turn", "write the second bell")[0]
    assert "Look for cracks before ringing." in json.dumps(opening.messages, ensure_ascii=False)
    assert second.ended().outcome is Outcome.DONE


def test_files_are_there_before_and_after_a_run_and_go_with_the_thread(scene: Story) -> None:
    message = scene.ada.upload(GENERAL_ID, f"{MENTION} write down what the upload says", "plan.txt", b"Ring it.\n")
    request = scene.request(message, GENERAL_ID)
    until(lambda: request.has(lambda record: record.terminal_message_id))
    assert request.ended().outcome is Outcome.DONE
    assert request.read("said.txt") == "Ring it.\n"
    shown = [scene.discord.parts.payloads.attachment(each) for each in request.ending.attachments]
    assert "said.txt" in [file["filename"] for file in shown]
    thread = request.thread
    assert f"threads/{thread}/files/said.txt" in keys_of(scene, thread)

    scene.discord.delete_thread(scene.ada.user_id, thread)
    until(lambda: keys_of(scene, thread) == [])
    until(lambda: scene.records.sessions.get(ThreadId(thread)).topic == "")


def keys_of(scene: Story, thread: str) -> list[str]:
    found = scene.stack.aws.client("s3").list_objects_v2(
        Bucket=SYSTEM.buckets["artifacts"].name, Prefix=f"threads/{thread}/"
    )
    return [item["Key"] for item in found.get("Contents", [])]


def test_a_run_uses_a_server_that_its_channel_allows_and_is_told_of_one_that_is_down(
    scene: Story, almanac: Served
) -> None:
    request = scene.ask("write down the tides", channel=WORKSHOP_ID)
    assert request.ended().outcome is Outcome.DONE
    heard = scene.calls("turn", "write down the tides")[-1].messages[-1]["content"]
    assert heard == "High water in Lisbon: 12:00"
    assert almanac.revisions == {"2026-07-28"}
    notes = [
        entry.details["reason"]
        for entry in scene.records.audit.entries(ThreadId(request.thread))
        if entry.kind == "tools_missing"
    ]
    assert notes == ["The tool server 'ghost-ship' is not to be had: it cannot be reached. The run goes on without it."]
    everything = json.dumps([call.messages for call in scene.model.calls])
    assert "t0ken-of-the-almanac" not in everything


def test_a_channel_without_the_server_is_not_offered_its_tools(scene: Story) -> None:
    before = len(scene.model.calls)
    scene.ask("write down the tides").ended()
    turns = [call for call in scene.model.calls[before:] if call.purpose == "turn"]
    assert all("almanac__tides" not in call.tools for call in turns)
    assert "there is no tool" in json.dumps([call.messages for call in turns])
