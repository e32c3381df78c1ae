"""Forgetting a person deletes what is theirs, everywhere, and nothing that is others'."""

import json
from collections.abc import Iterator
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from deployment.forgetting import command
from deployment.forgetting.account import Account, Unreachable
from discord_agent.adapters.dynamodb.audit import DynamoAuditLog
from discord_agent.adapters.dynamodb.budgets import DynamoBudgets
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.memories import DynamoInsights, DynamoReflections
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.budget import Payer, Slice
from discord_agent.domain.classification import FlowType
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.events import AuditEntry
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.memory import Insight, Reflection, Shelf
from discord_agent.domain.money import Cost, Usd
from discord_agent.domain.policy import GuildSettings, Limits, People
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus, InboxItem, ItemKind
from discord_agent.holdings import TABLES
from tests.support.clock import ManualClock
from tests.support.data_plane import client, create_tables, data_plane

ADA, BOB = UserId("411111111111111111"), UserId("422222222222222222")
GUILD, CHANNEL = GuildId("100000000000000001"), ChannelId("200000000000000002")
ALONE, SHARED = ThreadId("311111111111111111"), ThreadId("322222222222222222")
BUCKET = "discord-bot-artifacts-123456789012-us-east-1"
SESSIONS, EXECUTIONS, MESSAGES = (TABLES[key].name for key in ("sessions", "executions", "messages"))


@dataclass
class Kept:
    """A system in which two people worked, one thread of Ada's alone and one of both."""

    endpoint: str

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.dynamodb, self.s3 = client("dynamodb", self.endpoint), client("s3", self.endpoint)
        store = Store(self.dynamodb)
        self.sessions = DynamoSessions(store, SESSIONS, self.clock)
        self.executions = DynamoExecutions(store, EXECUTIONS, SESSIONS, self.clock)
        self.audit = DynamoAuditLog(store, MESSAGES, Redactor())
        self.insights = DynamoInsights(store, SESSIONS, self.clock)
        self.reflections = DynamoReflections(store, SESSIONS, self.clock)
        self.budgets = DynamoBudgets(store, SESSIONS, self.sessions, self.clock)
        self.leases = DynamoLeases(store, SESSIONS, self.clock)

    def worked(self, thread: ThreadId, who: UserId, name: str, number: int) -> ExecutionId:
        """A run of somebody's, and all that is kept about it."""
        run, now = ExecutionId(f"m-50000000000000000{number}"), self.clock.now()
        message = MessageId(f"50000000000000000{number}")
        self.executions.create(
            ExecutionRecord(
                run, thread, CHANNEL, message, who, name, FlowType.SEQUENTIAL, f"{name} asks", now, guild_id=GUILD
            )
        )
        lease = self.leases.acquire(thread, run)
        self.sessions.put(InboxItem(thread, message, who, name, f"{name} waits", ItemKind.STEER, now))
        self.sessions.vote(thread, MessageId("600000000000000001"), who, 1)
        self.sessions.update(thread, summary=f"{name} said things", topic="login", guild_id=GUILD)
        self.reflections.add(thread, Reflection(f"r{number}", now, run, 80, key_insight=f"{name} likes tests"))
        self.insights.learn(
            Shelf(f"guild#{GUILD}"), Insight(f"i{number}", f"{name} number {number} says", now, thread, run, who)
        )
        payer, amount = Payer(run, who, GUILD), Usd(Decimal("0.1"))
        accounts = self.budgets.accounts_of(payer)
        self.budgets.settle(
            self.budgets.reserve(Slice(f"{run}/turn/1", payer, Purpose.TURN, amount, accounts), at_least=amount), Cost()
        )
        self.audit.record(AuditEntry(thread, "execution_started", now, run, who, {"request": f"{name} asks"}))
        self.audit.record(AuditEntry(thread, "turn", now, run, None, {"text": f"for {name}"}))
        self.leases.release(thread, run, fence=lease.fence)
        for version in ("first", "second"):
            for key in (f"runs/{run}/context/0001", "workspace/head"):
                self.s3.put_object(Bucket=BUCKET, Key=f"threads/{thread}/{key}", Body=f"{name} {version}".encode())
        self.executions.end(run, Outcome.DONE)
        return run

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every item as it is stored."""
        found: list[dict[str, Any]] = self.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
        return found

    def everything(self) -> str:
        """Every item of every table, as text."""
        return json.dumps([self.items(table) for table in (SESSIONS, EXECUTIONS, MESSAGES)])

    def objects(self) -> set[str]:
        """The keys of all objects, in any version."""
        page = self.s3.list_object_versions(Bucket=BUCKET)
        return {each["Key"] for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]}

    def forget(self, user: str, *, delete: bool) -> int:
        return command.run(user, bucket=BUCKET, delete=delete)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    with data_plane() as endpoint:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }.items():
            monkeypatch.setenv(name, value)
        create_tables(client("dynamodb", endpoint))
        s3 = client("s3", endpoint)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Kept(endpoint)


def test_what_is_kept_about_a_person_goes_and_what_is_others_stays(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.worked(ALONE, ADA, "Ada", 1)
    in_shared = kept.worked(SHARED, ADA, "Ada", 2)
    of_bob = kept.worked(SHARED, BOB, "Bob", 3)
    kept.executions.update(of_bob, stop_requested_by=ADA)
    assert kept.forget(ADA, delete=True) == 0
    assert "Deleted." in capsys.readouterr().out
    left = kept.everything()
    assert ADA not in left
    assert "Ada" not in left
    assert {item["execution_id"]["S"] for item in kept.items(EXECUTIONS)} == {of_bob}
    assert kept.executions.get(of_bob) is not None
    assert [item.content for item in kept.sessions.waiting(SHARED, ItemKind.STEER)] == ["Bob waits"]
    assert [reflection.id for reflection in kept.reflections.list(SHARED)] == ["r3"]
    assert [insight.id for insight in kept.insights.list(Shelf(f"guild#{GUILD}"))] == ["i3"]
    assert (kept.sessions.get(SHARED).topic, kept.sessions.get(SHARED).summary) == ("login", "")
    assert {row["eventType"]["S"] for row in kept.items(MESSAGES)} == {"execution_started", "turn"}
    objects = kept.objects()
    assert not any(key.startswith(f"threads/{ALONE}/") or in_shared in key for key in objects)
    assert {f"threads/{SHARED}/workspace/head", f"threads/{SHARED}/runs/{of_bob}/context/0001"} == objects


def test_a_deleted_threads_fence_stays_so_that_no_old_run_can_write_again(kept: Kept) -> None:
    kept.worked(ALONE, ADA, "Ada", 1)
    kept.forget(ADA, delete=True)
    [lock] = [item for item in kept.items(SESSIONS) if item["thread_id"]["S"] == ALONE]
    assert (lock["record"]["S"], lock["fence"]["N"]) == ("lock", "1")


def test_without_being_told_to_nothing_is_deleted_but_all_is_counted(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.worked(ALONE, ADA, "Ada", 1)
    before, objects = kept.everything(), kept.objects()
    assert kept.forget(ADA, delete=False) == 0
    told = capsys.readouterr().out
    assert "1 runs, 2 rows of the audit trail" in told
    assert "Nothing was deleted. Run it again with --delete." in told
    assert "Ada" not in told
    assert (kept.everything(), kept.objects()) == (before, objects)


def test_about_a_stranger_nothing_is_kept(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.worked(ALONE, ADA, "Ada", 1)
    assert kept.forget("499999999999999999", delete=True) == 0
    assert capsys.readouterr().out == "Nothing is kept about 499999999999999999.\n"
    assert "Ada" in kept.everything()


def test_a_run_at_work_has_to_end_first(kept: Kept) -> None:
    run = kept.worked(ALONE, ADA, "Ada", 1)
    kept.executions.update(run, status=ExecutionStatus.PARKED)
    with pytest.raises(InvalidSettings, match=run):
        kept.forget(ADA, delete=True)
    assert "Ada" in kept.everything()


def test_rules_of_a_guild_that_name_the_person_stay_and_are_told_of(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.worked(SHARED, ADA, "Ada", 1)
    blocking = replace(GuildSettings(limits=Limits()), blocked=People(users=(ADA,)))
    kept.sessions.put_settings(GUILD, blocking)
    kept.forget(ADA, delete=True)
    assert f"Rules of guild#{GUILD} name the person and stay" in capsys.readouterr().out
    assert kept.sessions.settings(GUILD).blocked == People(users=(ADA,))


def test_more_rows_than_a_page_holds_are_all_found(kept: Kept) -> None:
    for index in range(60):
        at = datetime(2026, 1, 1, 0, index, tzinfo=UTC)
        kept.audit.record(AuditEntry(SHARED, "note", at, None, ADA, {"text": "x" * 30_000}))
    kept.forget(ADA, delete=True)
    assert kept.items(MESSAGES) == []


@pytest.mark.parametrize("user", ["", "Ada", "12ab"])
def test_what_is_no_id_is_refused(user: str) -> None:
    with pytest.raises(InvalidSettings, match="no id"):
        command.run(user, bucket=BUCKET, delete=True)


def test_the_bucket_is_found_by_its_name_unless_there_are_two(kept: Kept) -> None:
    assert Account.here().bucket == BUCKET
    kept.s3.create_bucket(Bucket="discord-bot-artifacts-2")
    with pytest.raises(InvalidSettings, match="--bucket"):
        Account.here()


def test_an_account_that_cannot_be_reached_is_named_as_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(Unreachable, match="AWS cannot be reached"):
        Account.here()
