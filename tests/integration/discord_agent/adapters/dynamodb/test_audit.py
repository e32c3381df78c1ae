import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from discord_agent.adapters.dynamodb.audit import KEPT, DynamoAuditLog
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.events import AuditEntry
from discord_agent.domain.ids import ExecutionId, ThreadId, UserId
from discord_agent.domain.money import UNKNOWN, Cost, Usd
from discord_agent.domain.redaction import MARK, Redactor
from discord_agent.holdings import TABLES
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RUN, ADA = ExecutionId("m-1"), UserId("11")


@pytest.fixture
def audit(store: Store) -> DynamoAuditLog:
    return DynamoAuditLog(store, TABLES["messages"].name, Redactor(frozenset({"correct horse"})))


def _rows(dynamodb: "DynamoDBClient", thread: ThreadId) -> list[dict[str, Any]]:
    """The query of the README."""
    return dynamodb.query(
        TableName="discord-messages",
        KeyConditionExpression="pk = :threadId",
        ExpressionAttributeValues={":threadId": {"S": thread}},
    )["Items"]


def _run(thread: ThreadId, clock: ManualClock) -> tuple[AuditEntry, ...]:
    """A run as its rows tell it: start, turn, end."""
    call = {"tool": "bash", "input": "pytest", "output": "1 failed", "success": False, "durationMs": 1500.5}
    entries = []
    for kind, actor, cost, details in (
        (
            "execution_started",
            ADA,
            None,
            {"taskType": "coding-implementation", "agentRole": "python-coder", "model": "scripted"},
        ),
        (
            "turn",
            None,
            Cost(Usd(Decimal("0.0012"))),
            {
                "turn": 1,
                "model": "scripted",
                "agentRole": "python-coder",
                "confidence": 83,
                "status": "continue",
                "toolCalls": [call],
                "fileChanges": ["auth.py"],
            },
        ),
        ("execution_completed", None, UNKNOWN, {"totalTurns": 1, "finalStatus": "done", "success": True}),
    ):
        clock.pass_by(timedelta(seconds=1))
        entries.append(AuditEntry(thread, kind, clock.now(), RUN, actor, details, cost))
    return tuple(entries)


def test_the_readmes_query_returns_the_rows_of_a_run_in_order(
    audit: DynamoAuditLog, dynamodb: "DynamoDBClient", thread: ThreadId, clock: ManualClock
) -> None:
    for entry in _run(thread, clock):
        audit.record(entry)
    started, turn, completed = _rows(dynamodb, thread)
    assert {name: value for name, value in started.items() if name != "sk"} == {
        "pk": {"S": thread},
        "ttl": {"N": str(int((clock.now() - timedelta(seconds=2) + KEPT).timestamp()))},
        "threadId": {"S": thread},
        "timestamp": {"S": "2026-11-22T12:00:01.000000Z"},
        "eventType": {"S": "execution_started"},
        "executionId": {"S": "m-1"},
        "actor": {"S": "11"},
        "taskType": {"S": "coding-implementation"},
        "agentRole": {"S": "python-coder"},
        "model": {"S": "scripted"},
    }
    assert started["sk"]["S"].startswith("2026-11-22T12:00:01.000000Z#")
    assert turn["toolCalls"]["L"][0]["M"]["durationMs"] == {"N": "1500.5"}
    assert (completed["totalTurns"], completed["success"]) == ({"N": "1"}, {"BOOL": True})


def test_entries_come_back_as_they_were(audit: DynamoAuditLog, thread: ThreadId, clock: ManualClock) -> None:
    entries = _run(thread, clock)
    for entry in reversed(entries):
        audit.record(entry)
    assert audit.entries(thread) == entries
    assert audit.entries(ThreadId("0")) == ()


def test_a_repeated_write_leaves_one_row_and_two_entries_of_one_moment_leave_two(
    audit: DynamoAuditLog, thread: ThreadId, clock: ManualClock
) -> None:
    one = AuditEntry(thread, "approval", clock.now(), RUN, ADA, {"decision": "merge"})
    two = AuditEntry(thread, "approval", clock.now(), RUN, UserId("12"), {"decision": "merge"})
    for entry in (one, two, one):
        audit.record(entry)
    assert sorted(entry.actor or "" for entry in audit.entries(thread)) == ["11", "12"]


def test_secrets_do_not_reach_the_table(
    audit: DynamoAuditLog, dynamodb: "DynamoDBClient", thread: ThreadId, clock: ManualClock
) -> None:
    details = {"toolCalls": [{"output": "the correct horse"}], "taskToken": "AAAA"}
    audit.record(AuditEntry(thread, "turn", clock.now(), details=details))
    assert audit.entries(thread)[0].details == {"toolCalls": [{"output": f"the {MARK}"}], "taskToken": MARK}
    assert "correct horse" not in json.dumps(_rows(dynamodb, thread))


def test_a_row_too_large_for_dynamodb_is_cut_after_its_secrets_are_gone(
    audit: DynamoAuditLog, thread: ThreadId, clock: ManualClock
) -> None:
    output = "x" * 19_995 + "correct horse" + "x" * 100_000
    calls = [{"tool": "bash", "output": output, "success": True} for _ in range(100)]
    audit.record(AuditEntry(thread, "turn", clock.now(), details={"turn": 1, "toolCalls": calls}))
    [entry] = audit.entries(thread)
    assert entry.details["turn"] == 1
    assert len(entry.details["toolCalls"]) == 100
    assert entry.details["toolCalls"][0]["output"] == "x" * 2_000 + "…"


def test_a_row_of_very_many_things_is_cut_too(audit: DynamoAuditLog, thread: ThreadId, clock: ManualClock) -> None:
    paths = [f"a/rather/long/path/to/a/file/number/{number}.py" for number in range(20_000)]
    audit.record(AuditEntry(thread, "turn", clock.now(), details={"fileChanges": paths}))
    [entry] = audit.entries(thread)
    assert entry.details["fileChanges"] == paths[:1_000]


def test_a_detail_cannot_replace_who_and_when(audit: DynamoAuditLog, thread: ThreadId, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="actor"):
        audit.record(AuditEntry(thread, "turn", clock.now(), details={"actor": "somebody else"}))


def test_the_newest_entries_of_a_kind_come_newest_first(audit: DynamoAuditLog, clock: ManualClock) -> None:
    here, elsewhere = ThreadId("77001"), ThreadId("77002")
    for number in range(5):
        clock.pass_by(timedelta(seconds=1))
        for thread, kind in ((here, "turn"), (here, "round"), (elsewhere, "turn")):
            audit.record(AuditEntry(thread, kind, clock.now(), RUN, details={"turn": number}))
    newest = audit.newest(here, "turn", limit=3)
    assert [(entry.thread_id, entry.kind, entry.details["turn"]) for entry in newest] == [
        (here, "turn", number) for number in (4, 3, 2)
    ]
    assert audit.newest(here, "checkpoint", limit=3) == ()
