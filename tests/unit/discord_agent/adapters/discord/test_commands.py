import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from discord_agent.adapters.discord.client import RestClient
from discord_agent.adapters.discord.commands import application_of, register, registration
from discord_agent.domain.commands import COMMANDS, Command, Option, OptionKind

_NAME = re.compile(r"[-_'\w]{1,32}")
_LARGEST = 8000


class Server:
    """Discord's endpoint of commands; it spells out what Discord spells out."""

    def __init__(self, known: list[dict[str, Any]] | None = None) -> None:
        self.known = known or []
        self.written: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/@me"):
            return httpx.Response(200, json={"id": "900"})
        if request.method == "PUT":
            self.written.append(request.url.path)
            self.known = [
                {"id": "1", "version": "2", "nsfw": False, "default_member_permissions": None, **command}
                for command in json.loads(request.content)
            ]
        return httpx.Response(200, json=self.known)


def _client(server: Server) -> RestClient:
    http = httpx.Client(transport=httpx.MockTransport(server))
    return RestClient(http, api_url="https://discord.test/api/v10", token=lambda: "token")


def _texts(options: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for option in options:
        yield option["name"], option["description"]
        yield from _texts(option.get("options", []))


def test_two_words_become_a_subcommand_and_bounds_become_discords() -> None:
    commands = (
        Command("memory list", "List"),
        Command(
            "memory cut", "Cut", options=(Option("to", "How many", OptionKind.INTEGER, required=True, least=0, most=9),)
        ),
        Command(
            "say",
            "Say",
            options=(Option("how", "How", choices=("loud",), most=5), Option("in", "In", OptionKind.THREAD)),
        ),
    )
    to = {"name": "to", "description": "How many", "type": 4, "required": True, "min_value": 0, "max_value": 9}
    how = {
        "name": "how", "description": "How", "type": 3, "choices": [{"name": "loud", "value": "loud"}], "max_length": 5,
    }  # fmt: skip
    assert registration(commands, in_guild=True) == [
        {
            "name": "memory",
            "type": 1,
            "description": "What was learned from earlier runs",
            "options": [
                {"name": "list", "description": "List", "type": 1, "options": []},
                {"name": "cut", "description": "Cut", "type": 1, "options": [to]},
            ],
        },
        {
            "name": "say",
            "type": 1,
            "description": "Say",
            "options": [how, {"name": "in", "description": "In", "type": 7, "channel_types": [10, 11, 12]}],
        },
    ]


def test_commands_for_everywhere_work_in_direct_messages_too() -> None:
    assert {tuple(command["contexts"]) for command in registration(in_guild=False)} == {(0, 1)}
    assert all("contexts" not in command for command in registration(in_guild=True))


def test_what_is_declared_stays_within_discords_limits() -> None:
    payload = registration(in_guild=False)
    assert len(payload) <= 100
    for command in payload:
        assert len(command["options"]) <= 25
        assert sum(len(text) for pair in _texts([command]) for text in pair) <= _LARGEST
        for name, description in _texts([command]):
            assert _NAME.fullmatch(name), name
            assert name == name.lower()
            assert 1 <= len(description) <= 100, name
    assert all(len(option.choices) <= 25 for command in COMMANDS for option in command.options)


@pytest.mark.parametrize(
    ("guild", "path"),
    [("", "/api/v10/applications/900/commands"), ("30", "/api/v10/applications/900/guilds/30/commands")],
)
def test_commands_are_registered_once_and_again_only_after_a_change(guild: str, path: str) -> None:
    server = Server()
    client = _client(server)
    assert register(client, application_of(client), guild)
    assert not register(client, "900", guild)
    server.known[0]["description"] = "older words"
    assert register(client, "900", guild)
    assert server.written == [path, path]


def test_a_bound_of_zero_is_a_change() -> None:
    server = Server()
    client = _client(server)
    register(client, "900")
    rewind = next(command for command in server.known if command["name"] == "rewind")
    del rewind["options"][0]["min_value"]
    assert register(client, "900")
