import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from devstack.discord.seed import ADA_ID, GENERAL_ID
from devstack.discord.server import DiscordServer
from discord_agent.domain.errors import InvalidSettings
from tests.support.discord import rest, running

_PROGRAM = """
import sys, pathlib
from devstack.discord.drafts import UploadedFile
from devstack.discord.seed import ADA_ID, GENERAL_ID
from devstack.discord.server import DiscordServer
server = DiscordServer(data=pathlib.Path(sys.argv[1]), port=0)
server.start()
file = UploadedFile(0, "a.txt", "text/plain", b"kept")
message = server.post(ADA_ID, GENERAL_ID, "survives", files=(file,))
server.react(ADA_ID, GENERAL_ID, message.id, "\\N{THUMBS UP SIGN}")
print(message.id, flush=True)
sys.stdin.read()
"""


def test_what_was_said_survives_a_killed_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        identifier = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
    with running(data=tmp_path) as server, rest(server) as client:
        (message,) = client.get(f"/channels/{GENERAL_ID}/messages").json()
        file = httpx.get(message["attachments"][0]["url"]).content
        newer = server.post(ADA_ID, GENERAL_ID, "after")
    assert (message["id"], message["content"], file) == (identifier, "survives", b"kept")
    assert [(r["emoji"]["name"], r["count"]) for r in message["reactions"]] == [("👍", 1)]
    assert int(newer.id) > int(identifier)


def test_token_and_keys_survive_a_restart(tmp_path: Path) -> None:
    with running(data=tmp_path) as first:
        before = (first.token, first.public_key)
    with running(data=tmp_path) as second:
        assert (second.token, second.public_key) == before


def test_two_fresh_servers_have_different_tokens() -> None:
    with running() as first, running() as second:
        assert first.token != second.token


def test_a_port_in_use_is_named_with_the_remedy() -> None:
    with running() as server, pytest.raises(InvalidSettings, match=f"port {server.port} .* choose another port"):
        DiscordServer(data=None, port=server.port)
