import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from devstack.playground.runs import RunObserver
from discord_agent.adapters.codec import to_json
from discord_agent.adapters.dynamodb.audit import DynamoAuditLog
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.classification import FlowType
from discord_agent.domain.events import AuditEntry
from discord_agent.domain.ids import ChannelId, CommitSha, ExecutionId, MessageId, ModelName, ThreadId, UserId
from discord_agent.domain.money import Cost, Usage, Usd
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Commit, Outcome, RunState
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus
from discord_agent.system import SYSTEM
from tests.support.clock import ManualClock
from tests.support.data_plane import client, create_tables, data_plane

THREAD = ThreadId("1290000000000000500")
EXECUTION = ExecutionId("m-1290000000000000500")
DEFINITION = (Path(__file__).parents[4] / "statemachines/sequential_thinking.asl.json").read_text(encoding="utf-8")
COMMIT = Commit(CommitSha("4f2c9d1aa"), "auth-jwt", "Use JWT", ("auth.py",), CommitSha("0"))
RUN = RunState(
    EXECUTION,
    THREAD,
    ChannelId("1"),
    MessageId("2"),
    UserId("3"),
    model=ModelName("gpt-5.1-codex-mini"),
    turn=2,
    max_turns=20,
    rounds=2,
    confidence=83,
    usage=Usage(150, 20, 40),
    cost=Cost(Usd(Decimal("0.0150")), partial=True),
    commit=COMMIT,
)

type Json = dict[str, Any]


class FixedHistory:
    """Step Functions with executions whose states were entered and left as given."""

    def __init__(self, **entered: Sequence[str]) -> None:
        self.entered = entered
        self.ended: set[str] = set()

    def describe_state_machine(self, *, stateMachineArn: str) -> Json:  # noqa: N803 - boto3's spelling
        return {"definition": DEFINITION, "stateMachineArn": stateMachineArn}

    def get_paginator(self, name: str) -> "FixedHistory":
        assert name == "get_execution_history"
        return self

    def paginate(self, *, executionArn: str) -> Iterator[Json]:  # noqa: N803 - boto3's spelling
        machine = executionArn.split(":")[-2]
        if machine not in self.entered:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "GetExecutionHistory")
        yield {"events": [{"type": "ExecutionStarted"}]}
        *left, current = self.entered[machine]
        for name in left:
            output = json.dumps(to_json(RUN))
            yield {"events": [{"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name}}]}
            yield {"events": [{"type": "TaskStateExited", "stateExitedEventDetails": {"name": name, "output": output}}]}
        yield {"events": [{"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": current}}]}
        if machine in self.ended:
            yield {"events": [{"type": "ExecutionSucceeded"}]}


def arn(machine: str) -> str:
    return f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine}"


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with data_plane() as endpoint:
        connected = client("dynamodb", endpoint)
        create_tables(connected)
        yield connected


@pytest.fixture(scope="module")
def clock(dynamodb: Any) -> ManualClock:
    """The records of one run, written by the product's own adapters."""
    clock = ManualClock()
    store = Store(dynamodb)
    executions = DynamoExecutions(store, SYSTEM.tables["executions"].name, SYSTEM.tables["sessions"].name, clock)
    executions.create(
        ExecutionRecord(
            EXECUTION,
            THREAD,
            ChannelId("1"),
            MessageId("2"),
            UserId("3"),
            "Ada",
            FlowType.SEQUENTIAL,
            "use JWT",
            clock.now(),
            status=ExecutionStatus.PROCESSING,
            card_message_id=MessageId("9"),
            turns=2,
            usage=Usage(100, 20, 30),
            cost=Cost(Usd(Decimal("0.0132")), partial=True),
        )
    )
    audit = DynamoAuditLog(store, SYSTEM.tables["messages"].name, Redactor())
    calls = [
        {"tool": "bash", "input": '{"command":"pytest"}', "output": "1 failed", "success": False, "durationMs": 1840},
        {"tool": "edit_file", "input": "{}", "output": "ok", "success": True, "durationMs": 3},
    ]
    for number, call in enumerate(calls):
        clock.pass_by(timedelta(seconds=10))
        details = {"turn": 1, "round": number + 1, "model": "qwen3-coder-plus", "toolCalls": [call]}
        audit.record(AuditEntry(THREAD, "round", clock.now(), EXECUTION, details=details))
    other = AuditEntry(THREAD, "round", clock.now(), ExecutionId("m-9"), details={"model": "x", "toolCalls": calls})
    audit.record(other)
    return clock


def observer(dynamodb: Any, history: FixedHistory, clock: ManualClock) -> RunObserver:
    return RunObserver(dynamodb, history, arn, clock.now)


def test_a_run_is_read_from_its_row_its_audit_trail_and_its_history(dynamodb: Any, clock: ManualClock) -> None:
    history = FixedHistory(sequential_thinking=["Prepare", "Plan", "Turn", "Escalation", "Route", "Turn"])
    observed = observer(dynamodb, history, clock).observe(THREAD)
    run = observed["run"]
    graph = run.pop("graph")
    assert [brief["execution_id"] for brief in observed["runs"]] == [EXECUTION]
    assert {name: run[name] for name in ("status", "turn", "max_turns", "rounds", "confidence", "model")} == {
        "status": "processing",
        "turn": 2,
        "max_turns": 20,
        "rounds": 2,
        "confidence": 83,
        "model": "qwen3-coder-plus",
    }
    assert (run["cost"], run["usage"]["input"]) == ({"usd": "0.0150", "partial": True}, 150)
    assert (run["active"], run["elapsed_seconds"]) == (True, 20.0)
    assert run["card"] == {"channel_id": THREAD, "message_id": "9"}
    assert run["commit"] == {"sha": "4f2c9d1aa", "branch": "auth-jwt", "message": "Use JWT", "files": ["auth.py"]}
    assert [(t["tool"], t["success"], t["round"], t["duration_ms"]) for t in run["tools"]] == [
        ("bash", False, 1, 1840),
        ("edit_file", True, 2, 3),
    ]
    assert (graph["current"], graph["status"], graph["transitions"]) == ("Turn", "Running", 6)
    visits = {node["name"]: node["visits"] for node in graph["nodes"] if node["visits"]}
    assert visits == {"Prepare": 1, "Plan": 1, "Turn": 2, "Escalation": 1, "Route": 1}
    ways = {(edge["source"], edge["target"]) for edge in graph["edges"] if edge["visits"]}
    assert ("Route", "Turn") in ways
    assert ("Route", "Checkpoint") not in ways
    assert run["approval_graph"] is None


def test_an_ended_execution_has_no_current_step(dynamodb: Any, clock: ManualClock) -> None:
    history = FixedHistory(sequential_thinking=["Prepare", "Finish"], approval=["AwaitDecision"])
    history.ended.add("sequential_thinking")
    run = observer(dynamodb, history, clock).observe(THREAD, EXECUTION)["run"]
    assert (run["graph"]["current"], run["graph"]["status"]) == (None, "Succeeded")
    assert run["approval_graph"]["current"] == "AwaitDecision"


def test_a_run_that_has_no_history_is_still_shown(dynamodb: Any, clock: ManualClock) -> None:
    run = observer(dynamodb, FixedHistory(), clock).observe(THREAD)["run"]
    assert (run["graph"], run["turn"], run["status"]) == (None, 2, "processing")
    assert (run["cost"], run["usage"]["input"]) == ({"usd": "0.0132", "partial": True}, 100)


def test_a_finished_run_keeps_its_time_and_says_how_it_ended(dynamodb: Any) -> None:
    clock = ManualClock()
    tables = SYSTEM.tables
    executions = DynamoExecutions(Store(dynamodb), tables["executions"].name, tables["sessions"].name, clock)
    done, thread = ExecutionId("m-77"), ThreadId("77")
    executions.create(
        ExecutionRecord(
            done, thread, ChannelId("1"), MessageId("2"), UserId("3"), "Ada", FlowType.SIMPLE, "hi", clock.now()
        )
    )
    clock.pass_by(timedelta(seconds=5))
    executions.end(done, Outcome.DONE)
    executions.update(done, completed_at=datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC))
    clock.pass_by(timedelta(hours=1))
    run = observer(dynamodb, FixedHistory(), clock).observe(thread)["run"]
    assert (run["active"], run["outcome"], run["elapsed_seconds"]) == (False, "done", 5.0)


@pytest.mark.parametrize("thread", ["", "1"])
def test_a_thread_without_runs_has_none(dynamodb: Any, clock: ManualClock, thread: str) -> None:
    assert observer(dynamodb, FixedHistory(), clock).observe(thread) == {"runs": [], "run": None}


def test_records_that_cannot_be_read_are_told_and_break_nothing() -> None:
    class Unreachable:
        def query(self, **_: object) -> Json:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    observed = RunObserver(Unreachable(), FixedHistory(), arn).observe(THREAD)
    assert (observed["runs"], observed["run"]) == ([], None)
    assert "cannot be read" in observed["unavailable"]
