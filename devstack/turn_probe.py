"""The process whose turns ``bench turn`` measures: real adapters and storage, a model and tools that answer at once.

Run as ``python -m devstack.turn_probe RUNS TURNS`` with the environment of the embedded AWS; prints figures as JSON.
"""

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.utils import determine_content_length

from devstack.aws.memory import measure
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.dynamodb.audit import DynamoAuditLog
from discord_agent.adapters.dynamodb.budgets import DynamoBudgets
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.events import SqsEvents
from discord_agent.adapters.folders import find_root
from discord_agent.adapters.journal import S3Journal
from discord_agent.adapters.llm.client import load_litellm
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.metrics import EmfMetrics
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.adapters.workspace.layout import pack_prefix
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain.classification import FlowType
from discord_agent.domain.conversation import Message, ModelReply, ModelRequest, Role, ToolCall, ToolResult, ToolSpec
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.money import Usage, cost_of
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.sandbox_tools import SANDBOX_TOOLS
from discord_agent.domain.session import ExecutionRecord
from discord_agent.domain.workspace import FileEntry, Manifest
from discord_agent.holdings import BUCKETS, QUEUES, TABLES
from discord_agent.ports import Context, ToolRound, WorkspaceAccess
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.compaction import Compaction
from discord_agent.steps.hearing import Hearing
from discord_agent.steps.rounds import Rounds
from discord_agent.steps.spending import Spending
from discord_agent.steps.turn import DEFAULT_LIMITS, Turn

MOST_TURNS: Final = 35
LONG_HISTORY: Final = 200
"""Messages from which on a turn counts as one with a long history."""

_FILES: Final = 300
_WARM_UP: Final = 3
_REDACTED: Final = Redactor()
_OUTPUT: Final = "a line of output, as long as such lines are\n" * 40
_STORES: Final = ("s3", "dynamodb")
_WRITES: Final = frozenset({"PutObject", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


class _Traffic:
    """Counts a session's requests and the bytes of their bodies, both ways."""

    def __init__(self, session: boto3.session.Session) -> None:
        self.counts: Counter[str] = Counter()
        for service in _STORES:
            session.events.register(f"before-call.{service}", self._request)
            session.events.register(f"after-call.{service}", self._response)

    def _request(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        service = model.service_model.service_name
        self.counts[f"{service} requests"] += 1
        self.counts[f"{service} writes"] += model.name in _WRITES
        self.counts[f"{service} bytes"] += determine_content_length(params.get("body") or b"") or 0

    def _response(self, http_response: Any, model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        self.counts[f"{service} bytes"] += int(http_response.headers.get("content-length", 0))


class _Model:
    """Asks for one change of a file in every reply."""

    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry
        self._number = 0

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,  # noqa: ARG002
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        self._number += 1
        text = f"Step {self._number}: I will write the next part of the module and then look at what the tests say."
        if on_text is not None:
            on_text(text)
        arguments = json.dumps({"path": "src/module_1.py", "content": f"value = {self._number}\n" * 40})
        usage = Usage(1000, 900, 100)
        call = ToolCall("call", "write_file", arguments)
        cost = cost_of(usage, self._registry.price(request.model))
        return ModelReply(Message(Role.ASSISTANT, text, (call,)), request.model, usage, cost)


class _Tools:
    """Every call changes one file of the manifest; packs are the sandbox's to write."""

    def specs(self, thread: ThreadId) -> tuple[ToolSpec, ...]:  # noqa: ARG002
        return SANDBOX_TOOLS

    def notes(self, thread: ThreadId) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def run(
        self,
        calls: Sequence[ToolCall],
        access: WorkspaceAccess,
        *,
        meanwhile: Callable[[], object] | None = None,  # noqa: ARG002
        stop_requested: Callable[[], bool] | None = None,  # noqa: ARG002
    ) -> ToolRound:
        first, *others = access.manifest.files
        changed = replace(first, size=first.size + 1)
        facts = {"paths_changed": [first.path]}
        results = tuple(ToolResult(call.id, call.name, ok=True, text=_OUTPUT, facts=facts) for call in calls)
        return ToolRound(results, replace(access.manifest, files=(changed, *others)))


class _Silence:
    """Stands for Discord and the logs: nobody looks at the card, or at figures."""

    def edit(self, *_: object) -> None:
        """Show nothing."""

    def write(self, *_: object) -> None:
        """Keep no line."""


@dataclass(frozen=True, slots=True)
class _Parts:
    turn: Turn
    journal: S3Journal
    workspaces: S3Workspaces
    executions: DynamoExecutions
    leases: DynamoLeases
    registry: ModelRegistry


@dataclass(frozen=True, slots=True)
class _Measured:
    """One turn: seconds of CPU, the messages it began with, and its traffic."""

    cpu: float
    messages: int
    traffic: dict[str, int]


def _compose(session: boto3.session.Session) -> _Parts:
    clock, bucket = SystemClock(), BUCKETS["artifacts"].name
    sessions_table, store = TABLES["sessions"].name, Store(session.client("dynamodb"))
    leases = DynamoLeases(store, sessions_table, clock)
    sessions = DynamoSessions(store, sessions_table, clock)
    executions = DynamoExecutions(store, TABLES["executions"].name, sessions_table, clock)
    sqs = session.client("sqs")
    queue = sqs.get_queue_url(QueueName=QUEUES["events"].name)["QueueUrl"]
    audit = DynamoAuditLog(store, TABLES["messages"].name, _REDACTED)
    metrics = EmfMetrics(clock, write=_Silence().write)
    chronicle = Chronicle(audit, SqsEvents(sqs, queue, clock, _REDACTED), clock, metrics)
    s3 = session.client("s3")
    journal, workspaces = S3Journal(s3, bucket), S3Workspaces(s3, bucket)
    prompts, registry = TemplatePrompts(find_root()), ModelRegistry.load(find_root() / "models.yaml")
    spending = Spending(_Model(registry), registry, DynamoBudgets(store, sessions_table, sessions, clock), metrics)
    discord: Any = _Silence()
    hearing = Hearing(sessions, prompts, discord, workspaces, chronicle)
    rounds = Rounds(_Tools(), workspaces, journal, leases, hearing, chronicle)
    turn = Turn(
        rounds, spending, Compaction(registry, prompts, chronicle), workspaces, journal, leases, sessions, executions,
        discord, prompts, chronicle, clock, redactor=_REDACTED,
    )  # fmt: skip
    return _Parts(turn, journal, workspaces, executions, leases, registry)


def _opened(parts: _Parts, number: int) -> RunState:
    """A run that was planned, in a thread of its own."""
    thread, clock = ThreadId(str(1000 + number)), SystemClock()
    execution = ExecutionId(f"m-{thread}")
    pack = f"{pack_prefix(thread)}{'b' * 64}"
    entry = FileEntry("", 0o644, 400, "a" * 64, pack, 0, 200)
    manifest = Manifest(tuple(replace(entry, path=f"src/module_{index}.py") for index in range(_FILES)))
    head = parts.workspaces.save(thread, manifest, expected=None)
    channel, message, author = ChannelId("1"), MessageId(str(thread)), UserId("2")
    record = ExecutionRecord(
        execution, thread, channel, message, author, "Ada", FlowType.SEQUENTIAL, "Bench", clock.now()
    )
    parts.executions.create(record)
    parts.leases.acquire(thread, execution)
    model = parts.registry.for_role("python-coder")
    run = RunState(
        execution, thread, channel, message, author, flow=FlowType.SEQUENTIAL, model=model, max_turns=MOST_TURNS,
        manifest_id=head.manifest_id, started_at=clock.now().isoformat(), next=Next.TURN,
    )  # fmt: skip
    opening = (Message(Role.SYSTEM, "You write Python. " * 200), Message(Role.USER, "Write the module. " * 100))
    parts.journal.save_context(run, Context(opening, turn=0))
    return run


def _play(parts: _Parts, traffic: _Traffic, run: RunState, turns: int) -> list[_Measured]:
    measured = []
    for number in range(turns):
        traffic.counts.clear()
        began = time.process_time()
        after = parts.turn(run)
        cpu = time.process_time() - began
        played = after.rounds - run.rounds
        if played != DEFAULT_LIMITS.rounds:
            raise RuntimeError(f"turn {number + 1} of the benchmark had {played} rounds")
        measured.append(_Measured(cpu, 2 + 2 * run.rounds, dict(traffic.counts)))
        run = replace(after, next=Next.TURN)
    return measured


def main(count: int, turns: int) -> None:
    """Measure so many runs of so many turns, and print."""
    load_litellm()
    baseline = measure().rss
    session = boto3.session.Session()
    traffic = _Traffic(session)
    parts = _compose(session)
    _play(parts, traffic, _opened(parts, 0), _WARM_UP)
    runs = []
    peak = baseline
    for number in range(1, count + 1):
        runs.append(_play(parts, traffic, _opened(parts, number), turns))
        peak = max(peak, measure().rss)
    by_turn = list(zip(*runs, strict=True))
    figures = {
        "cpu_milliseconds": [round(statistics.median(one.cpu for one in same) * 1000, 2) for same in by_turn],
        "messages": [same[0].messages for same in by_turn],
        "traffic": [same[0].traffic for same in by_turn],
        "memory_bytes": {"litellm": baseline, "peak": peak},
        "rounds_per_turn": DEFAULT_LIMITS.rounds,
        "runs": count,
    }
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
