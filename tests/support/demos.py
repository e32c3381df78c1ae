"""The command that plays the demo, run as people run it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

import pytest

from deployment.roles import roles
from devstack.options import ROOT
from discord_agent.system import SYSTEM

_NOT_RUN: Final = 3
_SECONDS: Final = 1800


@dataclass(frozen=True)
class Verdict:
    """What the command printed and how it ended."""

    code: int
    facts: dict[str, Any]


def played_against(tool: str) -> Verdict:
    """The demo on the system that a tool deployed; skipped, with the command's reason, where the tool cannot work."""
    command = [sys.executable, "-m", "devstack.cli", "demo", "--against", tool, "--json"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS, check=False
    )
    if done.returncode == _NOT_RUN:
        pytest.skip(done.stderr.strip().removeprefix("NOT RUN: "))
    assert done.stdout, done.stderr
    return Verdict(done.returncode, json.loads(done.stdout))


def assert_the_main_job_was_done(verdict: Verdict) -> None:
    """The whole job was done by what was deployed, and nothing less than the declaration was."""
    facts = verdict.facts
    assert (verdict.code, facts["faults"]) == (0, [])
    assert facts["merged"] is True
    assert facts["tests_run"] == facts["tests_passed"] == 20
    functions = SYSTEM.functions.values()
    assert facts["deployed"] == {
        "functions": len(functions),
        "machines": len(SYSTEM.machines),
        "event_sources": sum(len(function.sources) for function in functions),
        "status_targets": sum(function.on_execution_status for function in functions),
        "routes": sum(bool(function.path) for function in functions),
        "roles": len(roles(SYSTEM)),
        "queues": len(SYSTEM.queues),
        "services": len(SYSTEM.services),
    }
