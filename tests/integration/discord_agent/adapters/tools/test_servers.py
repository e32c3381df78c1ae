from datetime import timedelta

import anyio
import pytest
from mcp.server.mcpserver import MCPServer
from mcp_types import ImageContent, TextContent, ToolAnnotations

from discord_agent.adapters.tools.definitions import ToolServer
from discord_agent.adapters.tools.servers import Errand, ToolServers
from discord_agent.adapters.tools.vault import ToolSecrets
from discord_agent.domain.conversation import ToolResult
from discord_agent.domain.ids import GuildId
from discord_agent.domain.offered_tools import ServerTool
from tests.support.clock import ManualClock
from tests.support.tool_servers import HANDSHAKES, MODERN, serving

GUILD = GuildId("1290000000000000000")
SECRETS = '{"tracker-token": {"value": "s3cret-of-the-tracker", "guilds": ["1290000000000000000"]}}'
READS = ToolAnnotations(read_only_hint=True)


def tracker() -> MCPServer:
    server = MCPServer("tracker")
    order: list[int] = []

    @server.tool(annotations=READS)
    def search(words: str) -> str:
        """Search issues."""
        return f"found {words}"

    @server.tool()
    def note(line: int) -> str:
        """Write something down; says what was written so far."""
        order.append(line)
        return f"{order}"

    @server.tool()
    def fail() -> str:
        """Fail."""
        raise RuntimeError("the tracker is out of paper")

    @server.tool()
    async def sleep() -> str:
        """Take very long."""
        await anyio.sleep(3600)
        return "awake"

    @server.tool()
    def draw() -> list[TextContent | ImageContent]:
        """Draw."""
        return [TextContent(type="text", text="a cat"), ImageContent(type="image", data="AAAA", mime_type="image/png")]

    @server.tool()
    def flood() -> str:
        """Answer with 50 MB."""
        return "x" * (50 << 20)

    return server


def servers(*known: ToolServer, clock: ManualClock | None = None) -> ToolServers:
    by_name = {server.name: server for server in known}
    return ToolServers(by_name, ToolSecrets(lambda: SECRETS), clock or ManualClock())


def at(url: str, **fields: object) -> ToolServer:
    return ToolServer.model_validate({"name": "tracker", "url": url, **fields})


def errand(name: str, number: int = 1, *, writes: bool = True, **arguments: object) -> Errand:
    tool = ServerTool("tracker", name, "", {}, writes=writes)
    return Errand(f"call_{number}", f"tracker__{name}", tool, arguments)


def only(results: tuple[ToolResult, ...]) -> ToolResult:
    (result,) = results
    return result


@pytest.mark.parametrize("revision", [*HANDSHAKES, MODERN])
def test_a_server_of_each_revision_is_listed_and_called(revision: str) -> None:
    with serving(tracker(), revision=revision) as served:
        asked = servers(at(served.url))
        (listing,) = asked.listings(["tracker"], GUILD)
        assert listing.fault == ""
        assert [tool.name for tool in listing.tools] == ["search", "note", "fail", "sleep", "draw", "flood"]
        assert listing.tools[0].schema["required"] == ["words"]
        assert [tool.writes for tool in listing.tools][:2] == [False, True]
        result = only(asked.run([errand("search", words="leaks")], GUILD))
        assert (result.ok, result.text, result.name) == (True, "found leaks", "tracker__search")
        assert served.revisions == {revision}


def test_only_the_tools_that_a_definition_allows_are_listed() -> None:
    with serving(tracker()) as served:
        (listing,) = servers(at(served.url, tools=["search"])).listings(["tracker"], GUILD)
    assert [tool.name for tool in listing.tools] == ["search"]


def test_a_secret_is_sent_by_reference_and_to_guilds_that_have_it_only() -> None:
    with serving(tracker(), token="s3cret-of-the-tracker") as served:
        known = at(served.url, secret="tracker-token")
        assert servers(known).listings(["tracker"], GUILD)[0].fault == ""
        before = len(served.bodies)
        (refused,) = servers(known).listings(["tracker"], GuildId("42"))
        assert "no secret 'tracker-token'" in refused.fault
        assert len(served.bodies) == before
        (unnamed,) = servers(at(served.url)).listings(["tracker"], GUILD)
        assert unnamed.fault
        assert "s3cret" not in unnamed.fault


def test_a_server_that_is_down_is_a_clause_and_its_calls_fail_with_it() -> None:
    with serving(tracker()) as served:
        gone = at(served.url)
    asked = servers(gone)
    (listing,) = asked.listings(["tracker"], GUILD)
    assert (listing.tools, listing.fault) == ((), "it cannot be reached")
    result = only(asked.run([errand("search", words="x")], GUILD))
    assert not result.ok
    assert result.text == (
        "[the tool server tracker could not be used: it cannot be reached; go on without it if you can]"
    )


def test_what_a_server_offers_is_remembered_for_minutes_and_its_absence_for_one() -> None:
    clock = ManualClock()
    with serving(tracker()) as served:
        asked = servers(at(served.url), clock=clock)
        asked.listings(["tracker"], GUILD)
        once = len(served.bodies)
        asked.listings(["tracker"], GUILD)
        assert len(served.bodies) == once
        clock.pass_by(timedelta(seconds=301))
        asked.listings(["tracker"], GUILD)
        assert len(served.bodies) > once
    clock.pass_by(timedelta(seconds=301))
    assert asked.listings(["tracker"], GUILD)[0].fault == "it cannot be reached"
    with serving(tracker()) as again:
        back = ToolServers({"tracker": at(again.url)}, asked.secrets, clock, asked._listed)
        assert back.listings(["tracker"], GUILD)[0].fault
        clock.pass_by(timedelta(seconds=61))
        assert back.listings(["tracker"], GUILD)[0].fault == ""


def test_a_server_that_nobody_set_up_is_named() -> None:
    (listing,) = servers().listings(["ghost"], GUILD)
    assert listing.fault == "whoever runs the bot has not set it up"


def test_a_call_has_its_time_and_the_next_one_still_runs() -> None:
    with serving(tracker()) as served:
        results = servers(at(served.url, seconds=2)).run([errand("sleep"), errand("note", 2, line=7)], GUILD)
    assert [(result.ok, result.text) for result in results] == [
        (False, "[tracker did not answer within 2 s]"),
        (True, "[7]"),
    ]


def test_writes_keep_their_order_whatever_is_read_between_them() -> None:
    with serving(tracker()) as served:
        calls = [
            errand("note", 1, line=1),
            errand("search", 2, writes=False, words="a"),
            errand("search", 3, writes=False, words="b"),
            errand("note", 4, line=2),
        ]
        results = servers(at(served.url)).run(calls, GUILD)
    assert [result.text for result in results] == ["[1]", "found a", "found b", "[1, 2]"]


def test_a_tool_that_fails_says_so_to_the_model_only() -> None:
    with serving(tracker()) as served:
        result = only(servers(at(served.url)).run([errand("fail")], GUILD))
    assert not result.ok
    assert "fail" in result.text


def test_what_is_no_text_is_named_instead_of_shown() -> None:
    with serving(tracker()) as served:
        result = only(servers(at(served.url)).run([errand("draw")], GUILD))
    assert result.text == "a cat\n[image/png of 4 characters in base64, not shown]"


def test_an_answer_that_is_far_too_large_is_not_read_to_its_end() -> None:
    with serving(tracker()) as served:
        result = only(servers(at(served.url)).run([errand("flood")], GUILD))
    assert not result.ok
    assert "it answered with more than 16 MB" in result.text


def test_a_stop_ends_a_call_under_way() -> None:
    with serving(tracker()) as served:
        looks: list[int] = []
        results = servers(at(served.url)).run(
            [errand("sleep")], GUILD, meanwhile=lambda: looks.append(1), stop_requested=lambda: len(looks) > 1
        )
    assert only(results).facts == {"interrupted": True}
    assert "stop" in only(results).text
