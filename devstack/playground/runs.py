"""The run beside the chat, read from the product's own records: rows, audit trail and execution history."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from devstack.playground.graph import Definition, draw, walked
from discord_agent.system import SYSTEM

type Json = dict[str, Any]

_RUNS: Final = 20
_TOOLS: Final = 200
_ROWS: Final = 400
_ROUND: Final = "round"
"""The audit row of a round: its model and its tool calls."""
_READ: Final = TypeDeserializer()
_MACHINES: Final = {"simple": "simple", "sequential-thinking": "sequential_thinking"}
_ACTIVE: Final = frozenset({"pending", "processing", "parked"})
_STATE_FIELDS: Final = (
    "turn",
    "max_turns",
    "rounds",
    "confidence",
    "model",
    "role",
    "task_type",
    "escalations",
    "score",
)
_TERMINAL: Final = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


@dataclass(frozen=True, slots=True)
class RunObserver:
    """Reads with boto3 clients; ``machine_arn`` gives a declared machine's ARN. Missing records leave gaps, no errors."""

    dynamodb: Any
    stepfunctions: Any
    machine_arn: Callable[[str], str]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _definitions: dict[str, Definition] = field(default_factory=dict)

    def observe(self, thread_id: str, execution_id: str | None = None) -> Json:
        """A thread's runs, newest first, and one of them in detail: the newest, or the one named."""
        try:
            rows = self._rows(thread_id)
            chosen = next((row for row in rows if row["execution_id"] == execution_id), rows[0] if rows else None)
            return {"runs": [_brief(row) for row in rows], "run": self._detail(chosen) if chosen else None}
        except (ClientError, BotoCoreError) as error:
            return {"runs": [], "run": None, "unavailable": f"The records cannot be read: {error}"}

    def _rows(self, thread_id: str) -> list[Json]:
        if not thread_id:
            return []
        return self._query(SYSTEM.tables["executions"].name, "thread_id", thread_id, _RUNS, IndexName="thread_id-index")

    def _detail(self, row: Json) -> Json:
        execution = row["execution_id"]
        history = self._history(_MACHINES.get(str(row.get("flow"))), execution)
        approval = self._history("approval", f"{execution}-approval")
        trail = [entry for entry in self._trail(row["thread_id"]) if entry.get("executionId") == execution]
        state = history.state if history else {}
        commit = state.get("commit") or (row.get("approval") or {}).get("commit")
        return {
            **_brief(row),
            **{name: state.get(name) for name in _STATE_FIELDS},
            **_progress(trail, state),
            "turn": state.get("turn", row.get("turns", 0)),
            "cost": _cost(state.get("cost") or row.get("cost")),
            "usage": state.get("usage") or row.get("usage") or {},
            "elapsed_seconds": self._elapsed(row),
            "question": row.get("question") or "",
            "commit": _commit(commit),
            "decision": (row.get("approval") or {}).get("decision"),
            "card": {"channel_id": row["thread_id"], "message_id": row.get("card_message_id")},
            "tools": _tools(trail),
            "graph": history.drawing if history else None,
            "approval_graph": approval.drawing if approval else None,
        }

    def _elapsed(self, row: Json) -> float | None:
        started, ended = _time(row.get("created_at")), _time(row.get("completed_at"))
        return None if started is None else round(((ended or self.now()) - started).total_seconds(), 1)

    def _trail(self, thread_id: str) -> list[Json]:
        """The newest audit rows of a thread, oldest first."""
        return self._query(SYSTEM.tables["messages"].name, "pk", thread_id, _ROWS)[::-1]

    def _query(self, table: str, key: str, value: str, limit: int, **options: Any) -> list[Json]:
        answer = self.dynamodb.query(
            TableName=table,
            KeyConditionExpression="#key = :value",
            ExpressionAttributeNames={"#key": key},
            ExpressionAttributeValues={":value": {"S": value}},
            ScanIndexForward=False,
            Limit=limit,
            **options,
        )
        return [{name: _plain(_READ.deserialize(cell)) for name, cell in item.items()} for item in answer["Items"]]

    def _history(self, machine: str | None, name: str) -> "_History | None":
        """How far an execution came; None if there is none."""
        if machine is None:
            return None
        machine_arn = self.machine_arn(machine)
        execution_arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            events = list(self._events(execution_arn))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return None
        return _History.of(machine, self._definition(machine_arn), events)

    def _events(self, execution_arn: str) -> Iterator[Json]:
        pages = self.stepfunctions.get_paginator("get_execution_history")
        for page in pages.paginate(executionArn=execution_arn):
            yield from page["events"]

    def _definition(self, machine_arn: str) -> Definition:
        if machine_arn not in self._definitions:
            described = self.stepfunctions.describe_state_machine(stateMachineArn=machine_arn)
            self._definitions[machine_arn] = json.loads(described["definition"])
        return self._definitions[machine_arn]


@dataclass(frozen=True, slots=True)
class _History:
    """An execution's drawing, and the last state of the run that one of its steps returned."""

    drawing: Json
    state: Json

    @classmethod
    def of(cls, machine: str, definition: Definition, events: list[Json]) -> "_History":
        entered = [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]
        left = [e for e in events if "stateExitedEventDetails" in e]
        ending = next((e["type"] for e in reversed(events) if e["type"] in _TERMINAL), None)
        graph = draw(definition)
        ways = walked(entered)
        drawing = {
            "machine": machine,
            "status": (ending or "ExecutionRunning").removeprefix("Execution"),
            "current": entered[-1] if entered and ending is None else None,
            "transitions": len(entered),
            "nodes": [{**asdict(node), "visits": entered.count(node.name)} for node in graph.nodes],
            "edges": [{**asdict(edge), "visits": ways[edge.source, edge.target]} for edge in graph.edges],
        }
        states = (_run_state(e["stateExitedEventDetails"].get("output")) for e in reversed(left))
        return cls(drawing, next((state for state in states if state), {}))


def _run_state(output: str | None) -> Json:
    """The run that a step returned, whichever shape its machine wraps it in."""
    try:
        parsed = json.loads(output or "null")
    except ValueError:
        return {}
    inner = parsed.get("run", parsed) if isinstance(parsed, dict) else {}
    return inner if isinstance(inner, dict) and "execution_id" in inner else {}


def _brief(row: Json) -> Json:
    names = ("execution_id", "flow", "status", "outcome", "request", "author_name", "created_at", "completed_at")
    return {
        **{name: row.get(name) for name in names},
        "active": row.get("status") in _ACTIVE,
        "stopping": bool(row.get("stop_requested_by")) and row.get("status") in _ACTIVE,
    }


def _progress(trail: list[Json], state: Json) -> Json:
    """What the newest audit entries know better than the last finished step: rounds of the turn under way."""
    rounds = [entry for entry in trail if entry.get("eventType") == _ROUND]
    newest = rounds[-1] if rounds else {}
    models = [entry["model"] for entry in trail if entry.get("model")]
    return {
        "rounds": max(len(rounds), int(state.get("rounds") or 0)),
        "round_of_turn": newest.get("round"),
        "model": models[-1] if models else state.get("model"),
    }


def _tools(trail: list[Json]) -> list[Json]:
    """The tool calls, oldest first."""
    calls = [
        {
            "turn": entry.get("turn"),
            "round": entry.get("round"),
            "tool": call.get("tool"),
            "input": str(call.get("input", ""))[:300],
            "output": str(call.get("output", ""))[:300],
            "success": bool(call.get("success")),
            "duration_ms": call.get("durationMs"),
        }
        for entry in trail
        if entry.get("eventType") == _ROUND
        for call in entry.get("toolCalls") or []
    ]
    return calls[-_TOOLS:]


def _cost(cost: Any) -> Json | None:
    """Dollars as text, and whether a part has no known price."""
    if not isinstance(cost, Mapping):
        return None
    known = cost.get("known")
    amount = known.get("amount") if isinstance(known, Mapping) else known
    return {"usd": f"{Decimal(str(amount or 0)):.4f}", "partial": bool(cost.get("partial"))}


def _commit(commit: Any) -> Json | None:
    if not isinstance(commit, Mapping):
        return None
    return {name: commit.get(name) for name in ("sha", "branch", "message", "files")}


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


def _plain(value: Any) -> Any:
    """A DynamoDB value as JSON."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list() | set():
            return [_plain(inner) for inner in value]
    return value
