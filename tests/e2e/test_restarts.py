"""``discord-agent dev`` as a person starts, stops, kills and starts it again, on the same data."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from devstack.discord.seed import BOT_ID, GENERAL_ID, RANDOM_ID, WORKSHOP_ID
from devstack.options import ROOT
from devstack.person import Person
from discord_agent.domain.errors import DiscordRefused
from tests.support.story import MENTION, SCRIPTS, Clone, repository, until

COMMAND = [sys.executable, "-m", "devstack.cli", "dev"]


@dataclass(frozen=True)
class Running:
    """A stack in a process of its own, seen only from outside."""

    process: subprocess.Popen[str]
    url: str
    repository: str

    @property
    def ada(self) -> Person:
        """Who asks."""
        return Person(self.url)

    def ask(self, text: str, channel: str = GENERAL_ID) -> str:
        """Mention the bot; the id of the message, and of the thread that is opened on it."""
        return self.ada.say(channel, f"{MENTION} {text}")

    def said(self, thread: str) -> list[dict[str, Any]]:
        """The bot's messages in a thread; none before there is one."""
        try:
            messages = self.ada.read(thread)
        except DiscordRefused:
            return []
        return [message for message in messages if message["author"]["id"] == BOT_ID]

    def shows(self, thread: str, text: str) -> list[dict[str, Any]]:
        """The bot's messages that show a text somewhere."""
        return [message for message in self.said(thread) if text in str((message["content"], message["embeds"]))]

    def endings(self, thread: str) -> list[str]:
        """The terminal messages: their last line has the reference."""
        return [message["content"] for message in self.said(thread) if "-# " in message["content"]]

    def press(self, thread: str, label: str) -> None:
        """Press the newest button of that label."""
        for message in reversed(self.said(thread)):
            for button in (button for row in message["components"] for button in row["components"]):
                if button.get("label") == label:
                    self.ada.press(thread, message["id"], button["custom_id"])
                    return
        raise AssertionError(f"no button {label!r}")

    def family(self) -> list[psutil.Process]:
        """The process and all it started."""
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait until nothing of it is left."""
        family = self.family()
        self.process.send_signal(how)
        code = self.process.wait(30)
        _, alive = psutil.wait_procs(family, timeout=15)
        assert alive == []
        return code


@contextmanager
def started(*arguments: str) -> Iterator[Running]:
    """Start the command and wait until it prints where it is."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            printed = ""
            while not (found := re.search(r"(http://\S+)\n.*git clone (http://\S+)", printed, re.DOTALL)):
                line = process.stdout.readline()
                assert line, f"ended early:\n{printed}"
                printed += line
            yield Running(process, found[1], found[2])
        finally:
            process.kill()


def refused(*arguments: str) -> str:
    """What the command says when it refuses to start."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = repository(tmp_path_factory.mktemp("notes"), {"README.md": "# Notes\n"})
    data = tmp_path_factory.mktemp("data")
    return ["--data", str(data), "--repo", str(folder), "--model-script", str(SCRIPTS / "restarts.yaml")]


def test_a_stack_that_was_killed_goes_on_where_it_was(place: list[str], tmp_path: Path) -> None:
    with started(*place) as stack:
        kept, hanging = stack.ask("write a kept note"), stack.ask("write a long note", RANDOM_ID)
        asking = stack.ask("write in which language", WORKSHOP_ID)
        until(lambda: stack.shows(kept, "👍 to merge"))
        until(lambda: stack.shows(hanging, "Turn 2/"))
        until(lambda: stack.shows(asking, "Clarification Needed"))
        assert "another stack works on" in refused("--port", "0", *place)
        before = [message["content"] for message in stack.ada.read(GENERAL_ID)]
        assert stack.end(signal.SIGKILL) == -signal.SIGKILL

    with started(*place) as stack:
        assert [message["content"] for message in stack.ada.read(GENERAL_ID)] == before
        for thread in (hanging, asking):
            until(lambda: stack.endings(thread))  # noqa: B023 - used within the round
            assert "stopped from outside, for instance by a restart" in stack.endings(thread)[0]
            assert "the work of 1 turn is kept" in stack.endings(thread)[0]
        (stopped,) = stack.shows(hanging, "❌ Failed")
        assert "📋 Plan" in str(stopped["embeds"])

        (card,) = stack.shows(kept, "👍 to merge")
        stack.ada.react(kept, card["id"], "👍")
        until(lambda: stack.shows(kept, "Merged into main"))
        assert len(stack.endings(kept)) == 1

        stack.press(hanging, "Try again")
        until(lambda: stack.shows(hanging, "👍 to merge"))
        assert len(stack.endings(hanging)) == 2
        stack.press(hanging, "Merge")
        until(lambda: stack.shows(hanging, "Merged into main"))
        assert len(stack.endings(asking)) == 1
        assert stack.end(signal.SIGINT) == 0

    with started(*place) as stack:
        assert stack.shows(hanging, "Merged into main")
        subprocess.run(["git", "clone", "-q", stack.repository, str(tmp_path / "clone")], check=True, timeout=30)
        clone = Clone(tmp_path / "clone")
        assert (clone.read("kept.txt"), clone.read("long.txt")) == ("Kept.\n", "Half.\nWhole.\n")
        assert [len(stack.endings(thread)) for thread in (kept, hanging, asking)] == [1, 2, 1]
        assert stack.end(signal.SIGTERM) == 0


def test_a_port_in_use_is_named_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused("--port", port)
    assert f"port {port}" in said
    assert "choose another" in said


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--repo", "/no/such/folder"), "/no/such/folder"),
        (("--model-script", "/no/such/script.yaml"), "docs/SCRIPTS.md"),
        (("--port", "70000"), "70000"),
        (("--data", "/proc/nothing"), "--data"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    assert named in refused("--port", "0", "--data", str(tmp_path), *arguments)
