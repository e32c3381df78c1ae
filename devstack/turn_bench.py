"""The benchmark of the turn engine: what it takes itself, apart from models, tools and Discord."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, Final

from devstack.aws.clients import Clients
from devstack.aws.data_plane import DataPlane
from devstack.aws.names import Endpoints, Resolver
from devstack.aws.provision import Provision
from devstack.options import ROOT
from devstack.targets import Target
from devstack.turn_probe import LONG_HISTORY, MOST_TURNS
from discord_agent.domain.errors import AgentError
from discord_agent.system import SYSTEM

_SECONDS: Final = 600
_EDGE: Final = 3
"""Turns at either end whose medians are compared."""
_WRITES_PER_ROUND: Final = 2
_WRITES_PER_TURN: Final = 4
_MEGABYTE: Final = 1e6


class ProbeFailed(AgentError):
    """The measured process did not come to its end."""


def measure(*, runs: int = 5, turns: int = MOST_TURNS) -> dict[str, Any]:
    """CPU per round and turn, requests and bytes, memory; each figure with its target.

    A run needs more than twenty turns for a history of 200 messages.
    """
    with tempfile.TemporaryDirectory() as folder, _storage(Path(folder)) as environment:
        figures = _probe(environment, runs, turns)
    rounds, cpu, traffic = figures["rounds_per_turn"], figures["cpu_milliseconds"], figures["traffic"]
    with_history = [
        milliseconds / rounds
        for milliseconds, messages in zip(cpu, figures["messages"], strict=True)
        if messages >= LONG_HISTORY
    ]
    first, last = median(cpu[:_EDGE]), median(cpu[-_EDGE:])
    allowed = _WRITES_PER_ROUND * rounds + _WRITES_PER_TURN
    memory = figures["memory_bytes"]
    targets = (
        Target.at_most("own CPU per round, 200 messages", median(with_history), "ms", 25.0),
        Target.at_most("last turns to first turns, CPU", last / first, "ratio", 1.2),
        Target.at_most("S3 writes in a turn of 5 rounds", _most(traffic, "s3 writes"), "", allowed),
        Target.at_most("DynamoDB writes in such a turn", _most(traffic, "dynamodb writes"), "", allowed),
        Target.at_most("requests, last turn to first", _growth(traffic, "requests"), "ratio", 1.0),
        Target.at_most("bytes, last turn to first", _growth(traffic, "bytes"), "ratio", 1.1),
        Target.at_most("memory over litellm", (memory["peak"] - memory["litellm"]) / _MEGABYTE, "MB", 60.0),
    )
    return {"name": "turn", **figures, "targets": [asdict(target) for target in targets]}


def _most(traffic: list[dict[str, int]], kind: str) -> int:
    return max(turn.get(kind, 0) for turn in traffic)


def _growth(traffic: list[dict[str, int]], kind: str) -> float:
    """How much more the last turns take than the first ones, of both stores together."""
    sums = [sum(count for name, count in turn.items() if name.endswith(kind)) for turn in traffic]
    return median(sums[-_EDGE:]) / median(sums[:_EDGE])


@contextmanager
def _storage(folder: Path) -> Iterator[dict[str, str]]:
    """The environment that points a process at a fresh data plane with all that is declared."""
    said: list[str] = []
    with (folder / "lock").open("w") as lock:
        plane = DataPlane(folder / "aws", port=0, autosave_seconds=_SECONDS, log=lambda _, line: said.append(line))
        try:
            plane.start(lock=lock.fileno())
            plane.await_ready()
            endpoints = Endpoints(plane.url, plane.url, plane.url)
            resolver = Resolver(SYSTEM, {}, plane.url)
            Provision(SYSTEM, Clients(endpoints), resolver, secrets={}, visibility=None).run()
            yield endpoints.environment()
        finally:
            plane.stop()


def _probe(environment: dict[str, str], runs: int, turns: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "devstack.turn_probe", str(runs), str(turns)]
    path = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": tempfile.gettempdir()}
    done = subprocess.run(
        command, env=path | environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        raise ProbeFailed(f"the measured process failed: {done.stderr.strip()[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
