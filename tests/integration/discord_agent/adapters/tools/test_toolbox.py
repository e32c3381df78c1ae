import json
from collections.abc import Callable, Iterator, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from mcp.server.mcpserver import MCPServer

from discord_agent.adapters.tools.definitions import ToolServer
from discord_agent.adapters.tools.servers import ToolServers
from discord_agent.adapters.tools.toolbox import Tools
from discord_agent.adapters.tools.vault import ToolSecrets
from discord_agent.domain.conversation import ToolCall, ToolResult
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, ThreadId
from discord_agent.domain.offered_tools import FIND, USE
from discord_agent.domain.policy import ChannelSettings, GuildSettings, ToolCredential
from discord_agent.domain.sandbox_tools import SANDBOX_TOOLS
from discord_agent.domain.session import Session
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Credential, Sessions, ToolRound, WorkspaceAccess
from tests.support.clock import ManualClock
from tests.support.tool_servers import Served, serving

THREAD, CHANNEL, GUILD = ThreadId("77"), ChannelId("7"), GuildId("1")
ACCESS = WorkspaceAccess(THREAD, ExecutionId("m-78"), Manifest())
KUBE = ToolCredential("kubectl", "kube", "KUBECONFIG", as_file=True)


@dataclass
class Sandbox:
    """Says what it was asked for."""

    rounds: list[tuple[list[str], WorkspaceAccess]] = field(default_factory=list)

    def run(
        self, calls: Sequence[ToolCall], access: WorkspaceAccess, *, meanwhile: Callable[[], object] | None = None
    ) -> ToolRound:
        self.rounds.append(([call.name for call in calls], access))
        results = tuple(ToolResult(call.id, call.name, ok=True, text="from the sandbox") for call in calls)
        return ToolRound(results, replace(access.manifest, base=None))


@dataclass
class Memory:
    """Just what the toolbox looks up."""

    settings_here: GuildSettings
    looks: int = 0

    def get(self, thread: ThreadId) -> Session:
        self.looks += 1
        return Session(thread, guild_id=GUILD, parent_channel_id=CHANNEL)

    def settings(self, guild: GuildId | None) -> GuildSettings:
        assert guild == GUILD
        return self.settings_here


@dataclass
class Scene:
    tools: Tools
    sandbox: Sandbox
    memory: Memory
    clock: ManualClock


@pytest.fixture
def wiki() -> Iterator[Served]:
    server = MCPServer("wiki")

    @server.tool()
    def look_up(word: str) -> str:
        """Look up a word."""
        return f"{word}: a word"

    with serving(server) as served:
        yield served


def scene(settings: GuildSettings, *known: ToolServer) -> Scene:
    clock, sandbox, memory = ManualClock(), Sandbox(), Memory(settings)
    secrets = ToolSecrets(lambda: json.dumps({"kube": {"value": "t0ken", "guilds": [GUILD]}}))
    servers = ToolServers({server.name: server for server in known}, secrets, clock)
    tools = Tools(cast("Any", sandbox), servers, secrets, cast("Sessions", memory), clock)
    return Scene(tools, sandbox, memory, clock)


def at(served: Served, name: str = "wiki") -> ToolServer:
    return ToolServer(name=name, url=served.url)


def call(number: int, tool: str, /, **arguments: object) -> ToolCall:
    return ToolCall(f"call_{number}", tool, json.dumps(arguments))


def names(scene: Scene) -> list[str]:
    return [spec.name for spec in scene.tools.specs(THREAD)][len(SANDBOX_TOOLS) :]


def test_a_server_is_offered_only_where_it_is_allowed(wiki: Served) -> None:
    assert names(scene(GuildSettings(), at(wiki))) == []
    assert names(scene(GuildSettings(mcp_servers=("wiki",)), at(wiki))) == ["wiki__look_up"]
    closed = ChannelSettings(CHANNEL, mcp_servers=())
    assert names(scene(GuildSettings(mcp_servers=("wiki",), channels=(closed,)), at(wiki))) == []


def test_calls_keep_their_order_between_the_sandbox_and_the_servers(wiki: Served) -> None:
    here = scene(GuildSettings(mcp_servers=("wiki",)), at(wiki))
    calls = [
        call(1, "read_file", path="a"),
        call(2, "bash", command="ls"),
        call(3, "wiki__look_up", word="tide"),
        call(4, "bash", command="pwd"),
    ]
    done = here.tools.run(calls, ACCESS)
    assert [result.call_id for result in done.results] == ["call_1", "call_2", "call_3", "call_4"]
    assert done.results[2].text == "tide: a word"
    assert [asked for asked, _ in here.sandbox.rounds] == [["read_file", "bash"], ["bash"]]


def test_the_same_tool_of_two_servers_has_two_names(wiki: Served) -> None:
    here = scene(GuildSettings(mcp_servers=("wiki", "lexicon")), at(wiki), at(wiki, "lexicon"))
    assert names(here) == ["lexicon__look_up", "wiki__look_up"]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (ToolCall("call_1", "wiki__look_up", "{not json"), "not valid JSON"),
        (ToolCall("call_1", "wiki__look_up", "[]"), "must be a JSON object"),
        (ToolCall("call_1", "wiki__nothing", "{}"), "there is no tool 'wiki__nothing'. wiki__look_up"),
        (ToolCall("call_1", USE, '{"name": "wiki__look_up", "arguments": 7}'), "must be a JSON object"),
    ],
)
def test_a_call_that_makes_no_sense_is_answered_without_asking_the_server(
    wiki: Served, asked: ToolCall, complaint: str
) -> None:
    here = scene(GuildSettings(mcp_servers=("wiki",)), at(wiki))
    (result,) = here.tools.run([asked], ACCESS).results
    assert not result.ok
    assert complaint in result.text
    assert "tools/call" not in wiki.methods


def test_many_tools_are_looked_up_and_used_by_name() -> None:
    server = MCPServer("crowd")
    for number in range(30):
        server.add_tool(lambda number=number: f"I am {number}", name=f"tool_{number}", description=f"Is {number}.")
    with serving(server) as served:
        here = scene(GuildSettings(mcp_servers=("crowd",)), at(served, "crowd"))
        assert names(here) == [FIND, USE]
        calls = [call(1, FIND, query="tool 17"), call(2, USE, name="crowd__tool_17", arguments={})]
        found, used = here.tools.run(calls, ACCESS).results
    assert "crowd__tool_17: Is 17." in found.text
    assert used.text == "I am 17"


def test_a_server_that_is_down_is_a_note_and_its_absence_no_error(wiki: Served) -> None:
    gone = ToolServer(name="gone", url="http://127.0.0.1:9/mcp")
    here = scene(GuildSettings(mcp_servers=("gone", "wiki", "ghost")), at(wiki), gone)
    assert names(here) == ["wiki__look_up"]
    assert here.tools.notes(THREAD) == (
        "The tool server 'gone' is not to be had: it cannot be reached. The run goes on without it.",
        "The tool server 'ghost' is not to be had: whoever runs the bot has not set it up. The run goes on without it.",
    )


def test_a_channels_credentials_go_to_the_sandbox_with_every_round_and_to_no_other_channel() -> None:
    here = scene(GuildSettings(channels=(ChannelSettings(CHANNEL, credentials=(KUBE,)),)))
    here.tools.run([call(1, "bash", command="kubectl get pods")], ACCESS)
    assert here.sandbox.rounds[0][1].credentials == (Credential("kubectl", "KUBECONFIG", "t0ken", as_file=True),)
    assert "t0ken" not in repr(here.sandbox.rounds)
    other = scene(GuildSettings(channels=(ChannelSettings(ChannelId("8"), credentials=(KUBE,)),)))
    other.tools.run([call(1, "bash", command="kubectl get pods")], ACCESS)
    assert other.sandbox.rounds[0][1].credentials == ()


def test_a_credential_that_does_not_exist_is_a_note() -> None:
    missing = ToolCredential("cloud", "nothing", "CLOUD")
    here = scene(GuildSettings(channels=(ChannelSettings(CHANNEL, credentials=(missing,)),)))
    (note,) = here.tools.notes(THREAD)
    assert "'cloud' runs without its credential" in note


def test_settings_are_looked_up_twice_a_minute_and_not_at_every_round() -> None:
    here = scene(GuildSettings())
    for _ in range(3):
        here.tools.specs(THREAD)
        here.tools.run([call(1, "bash", command="ls")], ACCESS)
    assert here.memory.looks == 1
    here.clock.pass_by(timedelta(seconds=31))
    here.tools.specs(THREAD)
    assert here.memory.looks == 2
