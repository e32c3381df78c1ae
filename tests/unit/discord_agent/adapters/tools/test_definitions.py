import json

import pytest

from discord_agent.adapters.tools.definitions import parse_servers
from discord_agent.domain.errors import InvalidSettings

GOOD = {"name": "tracker", "url": "https://tracker.example.org/mcp", "secret": "tracker-token"}


def test_nothing_is_no_server() -> None:
    assert parse_servers("") == parse_servers("[]") == {}


def test_a_server_is_found_by_its_name() -> None:
    server = parse_servers(json.dumps([GOOD]))["tracker"]
    assert (server.header, server.seconds, server.allows("anything")) == ("Authorization", 60, True)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"name": "Big Name"}, "pattern"),
        ({"url": "ftp://tracker.example.org"}, "http or https"),
        ({"url": "https://user:word@tracker.example.org/mcp"}, "no credentials"),
        ({"url": "https://tracker.example.org/mcp?key=1"}, "no query"),
        ({"url": "http://tracker.example.org/mcp"}, "https only"),
        ({"seconds": 0}, "greater than 0"),
        ({"color": "red"}, "Extra inputs"),
    ],
)
def test_a_definition_that_is_unsafe_or_unknown_is_refused_with_the_reason(
    fields: dict[str, object], complaint: str
) -> None:
    with pytest.raises(InvalidSettings, match=complaint):
        parse_servers(json.dumps([GOOD | fields]))


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_a_secret_may_be_sent_in_plain_text_on_this_machine_only(host: str) -> None:
    assert parse_servers(json.dumps([GOOD | {"url": f"http://{host}/mcp"}]))


@pytest.mark.parametrize("text", ["{", '{"name": "x"}', json.dumps([GOOD, GOOD])])
def test_what_is_no_list_of_different_servers_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="MCP_SERVERS"):
        parse_servers(text)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "169.254.170.2", "[fe80::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]",
        "metadata.google.internal",
    ],
)  # fmt: skip
def test_a_server_is_never_where_a_cloud_tells_credentials(host: str) -> None:
    with pytest.raises(InvalidSettings, match="credentials at"):
        parse_servers(json.dumps([{"name": "tracker", "url": f"http://{host}/mcp"}]))
