"""The system's own records, read for judging: rows, audit trail, workspaces, history, the repository."""

import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from devstack.aws.names import execution_arn
from devstack.stack import DevStack
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.dynamodb.audit import DynamoAuditLog
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.memories import DynamoInsights
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.folders import find_root
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain.ids import ExecutionId, ModelName, ThreadId
from discord_agent.domain.money import Cost, Usage, cost_of
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.workspace import AGENT_FOLDER
from discord_agent.system import SYSTEM

_REPORTS = f"{AGENT_FOLDER}/reports/"
_LOOP = frozenset({"Turn", "Escalation", "Route"})
_GIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class TestCounts:
    """What a run's last test reports say."""

    run: int
    passed: int


class Records:
    """Reads what the product wrote, with the product's own adapters."""

    def __init__(self, stack: DevStack) -> None:
        self._stack = stack
        store, clock = Store(stack.aws.client("dynamodb")), SystemClock()
        known = stack.aws.environment("turn")
        sessions, executions, messages = (
            known[f"DYNAMODB_{name}_TABLE"] for name in ("SESSIONS", "EXECUTIONS", "MESSAGES")
        )
        self.executions = DynamoExecutions(store, executions, sessions, clock)
        self.sessions = DynamoSessions(store, sessions, clock)
        self.leases = DynamoLeases(store, sessions, clock)
        self.insights = DynamoInsights(store, sessions, clock)
        self.audit = DynamoAuditLog(store, messages, Redactor())
        self.workspaces = S3Workspaces(stack.aws.client("s3"), known["S3_ARTIFACT_BUCKET"])

    def execution_status(self, machine: str, execution: ExecutionId) -> str | None:
        """How Step Functions says an execution stands; None before it was started."""
        client = self._stack.aws.client("stepfunctions")
        try:
            return str(client.describe_execution(executionArn=_arn(machine, execution))["status"])
        except client.exceptions.ExecutionDoesNotExist:
            return None

    def has_ended(self, machine: str, execution: ExecutionId) -> bool:
        """Whether an execution was started and is over."""
        return self.execution_status(machine, execution) not in (None, "RUNNING")

    def transitions(self, machine: str, execution: ExecutionId) -> int:
        """States entered, as AWS bills them."""
        return self._stack.aws.transitions(_arn(machine, execution))

    def loop_transitions(self, execution: ExecutionId) -> int:
        """States entered in the loop of a run: Turn, Escalation and Route; checkpoints and questions left out."""
        return sum(name in _LOOP for name, _ in self.entered("sequential_thinking", execution))

    def entered(self, machine: str, execution: ExecutionId) -> list[tuple[str, datetime]]:
        """The states an execution entered, each with the moment."""
        client = self._stack.aws.client("stepfunctions")
        pages = client.get_paginator("get_execution_history").paginate(
            executionArn=_arn(machine, execution), includeExecutionData=False
        )
        return [
            (event["stateEnteredEventDetails"]["name"], event["timestamp"])
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def tests(self, thread: ThreadId) -> TestCounts:
        """The counts in the JUnit reports that lie in the thread's workspace."""
        head = self.workspaces.head(thread)
        if head is None:
            return TestCounts(0, 0)
        manifest = self.workspaces.load(thread, head.manifest_id)
        reports = [entry.path for entry in manifest.files if entry.path.startswith(_REPORTS)]
        counts = [_count(self.workspaces.read(thread, manifest, path)) for path in reports]
        return TestCounts(sum(count.run for count in counts), sum(count.passed for count in counts))

    def model_cost(self) -> Cost:
        """The cost of all answered calls in the scripted model's log, at the registry's prices."""
        if self._stack.model is None:
            return Cost(partial=True)
        registry = ModelRegistry.load(find_root() / "models.yaml")
        total = Cost()
        for call in self._stack.model.calls:
            if call.usage is not None:
                usage = _usage(call.usage)
                total += cost_of(usage, registry.price(ModelName(call.model), usage.input))
        return total

    @contextmanager
    def clone(self) -> Iterator[Path]:
        """A fresh clone of the remote, gone afterwards."""
        with tempfile.TemporaryDirectory() as folder:
            _git(Path(folder), "clone", "--quiet", self._stack.repository_url, "clone")
            yield Path(folder) / "clone"


def main_sha(clone: Path) -> str:
    """The commit at the tip of the clone's default branch."""
    return _git(clone, "rev-parse", "HEAD")


def is_ancestor(clone: Path, sha: str) -> bool:
    """Whether a commit is part of the clone's default branch."""
    answer = subprocess.run(
        ["git", "merge-base", "--is-ancestor", sha, "HEAD"],
        cwd=clone,
        capture_output=True,
        timeout=_GIT_SECONDS,
        check=False,
    )
    return answer.returncode == 0


def dollars(cost: Cost) -> Decimal | None:
    """The amount, None where a price is not known."""
    return None if cost.partial else cost.known.amount


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=_GIT_SECONDS, check=True
    )
    return done.stdout.strip()


def _arn(machine: str, execution: ExecutionId) -> str:
    return execution_arn(SYSTEM.machines[machine].physical_name, execution)


def _count(report: bytes) -> TestCounts:
    suites = list(ET.fromstring(report).iter("testsuite"))  # noqa: S314 - written by pytest in our own sandbox
    run = sum(int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) for suite in suites)
    failed = sum(int(suite.get("failures", 0)) + int(suite.get("errors", 0)) for suite in suites)
    return TestCounts(run, max(0, run - failed))


def _usage(usage: dict[str, object]) -> Usage:
    details = usage.get("prompt_tokens_details")
    parts = details if isinstance(details, dict) else {}
    return Usage(
        _number(usage, "prompt_tokens"),
        _number(parts, "cached_tokens"),
        _number(usage, "completion_tokens"),
        _number(parts, "cache_creation_tokens"),
    )


def _number(values: dict[str, object], name: str) -> int:
    return int(str(values.get(name, 0)))
