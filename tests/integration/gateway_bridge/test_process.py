"""``python -m gateway_bridge`` as the platform runs it: started, asked for its health, killed, stopped."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.discord.seed import ADA_ID, GENERAL_ID
from devstack.discord.server import DiscordServer
from tests.support.bridges import SESSIONS, InboundQueueUnderTest
from tests.support.data_plane import client
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[3]
SECRET = "bridge-under-test"
AFTER_GUILD_CREATE = 2


@dataclass
class Process:
    """The running process, its log and the address of its health."""

    child: subprocess.Popen[bytes]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def get(self, path: str) -> httpx.Response | None:
        """An answer of the health server, None while there is none."""
        port = next((line["port"] for line in self.lines() if "port" in line), None)
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5) if port else None

    def is_ready(self) -> bool:
        assert self.child.poll() is None, self.log.read_text(encoding="utf-8")
        answer = self.get("/ready")
        return answer is not None and answer.status_code == 200


@contextmanager
def process(server: DiscordServer, queue: InboundQueueUnderTest, folder: Path, **changes: str) -> Iterator[Process]:
    name = f"/{SECRET}/{server.bot_id}"
    parameters = client("ssm", queue.endpoint)
    parameters.put_parameter(Name=name, Value=server.token, Type="SecureString", Overwrite=True)
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": f"{ROOT / 'layers' / 'core' / 'python'}:{ROOT}",
        "AWS_ENDPOINT_URL": queue.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOG_LEVEL": "INFO",
        "DISCORD_API_URL": server.api_url,
        "DISCORD_TOKEN_SECRET": name,
        "DISCORD_BOT_ID": server.bot_id,
        "DISCORD_MESSAGES_QUEUE_URL": queue.url,
        "DYNAMODB_SESSIONS_TABLE": SESSIONS,
        "LEASE_SECONDS": "1",
        "HEALTH_PORT": "0",
        **changes,
    }
    log = folder / f"{len(list(folder.iterdir()))}.log"
    with (
        log.open("wb") as sink,
        subprocess.Popen([sys.executable, "-m", "gateway_bridge"], env=environment, stderr=sink, cwd=folder) as child,
    ):
        try:
            yield Process(child, log)
        finally:
            child.kill()


def test_after_kill_9_the_next_process_resumes_without_loss_or_duplicates(
    server: DiscordServer, queue: InboundQueueUnderTest, tmp_path: Path
) -> None:
    with process(server, queue, tmp_path) as first:
        eventually(first.is_ready, seconds=20)
        asked = server.post(ADA_ID, GENERAL_ID, "one")
        server.react(ADA_ID, GENERAL_ID, asked.id, "👍")
        taken = eventually(lambda: taken if len(taken := queue.take()) else [])
        first.child.kill()
        first.child.wait()
    _forget_the_last_step(server, queue)
    server.post(ADA_ID, GENERAL_ID, "two")
    with process(server, queue, tmp_path) as second:
        eventually(second.is_ready, seconds=20)
        server.post(ADA_ID, GENERAL_ID, "three")
        arrived: list[str] = [str(envelope.data.get("content", envelope.event)) for envelope, _ in taken]

        def complete() -> bool:
            arrived.extend(str(envelope.data.get("content", envelope.event)) for envelope, _ in queue.take())
            return "three" in arrived

        eventually(complete)
    assert arrived == ["one", "MESSAGE_REACTION_ADD", "two", "three"]
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


def _forget_the_last_step(server: DiscordServer, queue: InboundQueueUnderTest) -> None:
    """Set the stored state back, as if the kill had come between the queue's answer and the write."""
    state = queue.stored_state(server)
    assert state.sequence is not None
    assert state.sequence > AFTER_GUILD_CREATE
    queue.store_state(server, state.reached(AFTER_GUILD_CREATE))


def test_sigterm_ends_it_with_exit_code_0_and_a_free_lease(
    server: DiscordServer, queue: InboundQueueUnderTest, tmp_path: Path
) -> None:
    with process(server, queue, tmp_path, LEASE_SECONDS="600") as first:
        eventually(first.is_ready, seconds=20)
        first.child.send_signal(signal.SIGTERM)
        assert first.child.wait(20) == 0
    with process(server, queue, tmp_path, LEASE_SECONDS="600") as second:
        eventually(second.is_ready, seconds=20)
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


def test_health_and_readiness_are_answered_and_the_token_is_never_logged(
    server: DiscordServer, queue: InboundQueueUnderTest, tmp_path: Path
) -> None:
    with process(server, queue, tmp_path, LOG_LEVEL="DEBUG") as running:
        eventually(running.is_ready, seconds=20)
        health, ready, other = running.get("/health"), running.get("/ready"), running.get("/secrets")
        assert health is not None
        assert ready is not None
        assert other is not None
        running.child.send_signal(signal.SIGTERM)
        running.child.wait(20)
        text = running.log.read_text(encoding="utf-8")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert (ready.json()["gateway"], ready.json()["queue"]) == (True, True)
    assert other.status_code == 404
    assert server.token not in text
    assert running.lines()[-1]["message"] == "stopped"


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"DISCORD_BOT_ID": ""}, "DISCORD_BOT_ID"), ({"DISCORD_TOKEN_SECRET": "nowhere"}, "there is no secret nowhere")],
)
def test_a_bad_setting_ends_it_with_its_name(
    server: DiscordServer, queue: InboundQueueUnderTest, tmp_path: Path, changes: dict[str, str], named: str
) -> None:
    with process(server, queue, tmp_path, **changes) as running:
        assert running.child.wait(20) == 1
        assert named in running.log.read_text(encoding="utf-8")


def test_a_health_port_in_use_ends_it_with_the_remedy(
    server: DiscordServer, queue: InboundQueueUnderTest, tmp_path: Path
) -> None:
    with process(server, queue, tmp_path, HEALTH_PORT=str(server.port)) as running:
        assert running.child.wait(20) == 1
        assert "HEALTH_PORT" in running.lines()[-1]["message"]
    assert server.gateway.identifies == 0
