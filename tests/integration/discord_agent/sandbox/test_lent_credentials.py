from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from discord_agent.sandbox.service import Sandbox
from tests.support.sandboxes import Client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SECRET = "the-secret-of-the-lighthouse"
LAMP = """#!/bin/sh
echo "lit with $(cat "$LAMP_KEY" 2>/dev/null || echo nothing) by $LAMP_NAME"
echo "$LAMP_KEY" > where
cat "$LAMP_KEY" > ~/noted 2>/dev/null
"""


@pytest.fixture
def client(s3: "S3Client", tmp_path: Path) -> Iterator[Client]:
    """A sandbox with a program of ours, and a credential for it."""
    lamp = tmp_path / "lamp"
    lamp.write_text(LAMP, encoding="utf-8")
    lamp.chmod(0o755)
    sandbox = Sandbox(f"{tmp_path}:/usr/local/bin:/usr/bin:/bin")
    key = {"program": "lamp", "variable": "LAMP_KEY", "value": SECRET, "as_file": True}
    name = {"program": "lamp", "variable": "LAMP_NAME", "value": "Ada"}
    yield Client(sandbox, tool_credentials=(key, name))
    sandbox.close()


def test_a_program_by_itself_gets_its_credentials_and_their_words_are_covered(client: Client) -> None:
    reply = client.call("bash", command="lamp")
    assert reply.ok
    assert reply.text == "lit with [LAMP_KEY] by [LAMP_NAME]\n[exit code 0]"


def test_the_file_is_gone_when_the_command_is_over_and_was_not_in_the_workspace(client: Client) -> None:
    client.call("bash", command="lamp")
    where = client.call("read_file", path="where").text.strip()
    assert not Path(where).exists()
    assert client.paths() == ["where"]
    assert "No such file" in client.call("bash", command="cat ~/noted").text


@pytest.mark.parametrize("command", ["lamp; env", "lamp | cat", "LAMP_NAME=Eve lamp", "bash -c lamp", "echo $LAMP_KEY"])
def test_a_shell_never_gets_them(client: Client, command: str) -> None:
    text = client.call("bash", command=command).text
    assert SECRET not in text
    assert "[LAMP_KEY]" not in text


def test_a_command_that_would_need_them_says_how_to_get_them(client: Client) -> None:
    assert "lamp gets its own only when the whole command is lamp" in client.call("bash", command="lamp | cat").text
    assert "no credential" not in client.call("bash", command="echo ok").text


def test_a_program_of_the_same_name_in_the_workspace_is_not_taken_for_it(client: Client) -> None:
    client.call("write_file", path="lamp", content="#!/bin/sh\necho stolen $LAMP_NAME\n")
    client.call("bash", command="chmod +x lamp")
    assert "stolen" not in client.call("bash", command="lamp").text
    assert client.call("bash", command="./lamp").text.startswith("stolen\n")
