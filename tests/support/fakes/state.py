"""Leases, sessions and executions, kept in memory under the conditions of the real tables."""

from collections.abc import Iterable
from copy import replace
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from discord_agent.domain import feedback
from discord_agent.domain.errors import Conflict, LeaseLost
from discord_agent.domain.ids import CommitSha, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.options import Proposal
from discord_agent.domain.policy import DIRECT_MESSAGES, GuildSettings
from discord_agent.domain.run import Outcome, RunState
from discord_agent.domain.session import (
    Approval,
    Decision,
    ExecutionRecord,
    ExecutionStatus,
    InboxItem,
    ItemKind,
    Lease,
    Session,
)
from discord_agent.ports import Clock
from tests.support.fakes.effects import Effects

LEASE = timedelta(minutes=20)
TAKEOVER = timedelta(minutes=1)

_ENDED = {ExecutionStatus.COMPLETED, ExecutionStatus.FAILED}


@dataclass(frozen=True, slots=True)
class _Lock:
    fence: int = 0
    owner: ExecutionId | None = None
    expires_at: datetime | None = None


@dataclass
class FakeLeases:
    """One lock per thread, never forgotten, so that its fence only grows."""

    effects: Effects
    clock: Clock
    locks: dict[ThreadId, _Lock] = field(default_factory=dict)

    def acquire(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        with self.effects("leases.acquire"):
            if self._holder(thread) not in {None, owner}:
                raise Conflict(f"another run holds thread {thread}")
            return self._take(thread, owner)

    def renew(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        with self.effects("leases.renew"):
            if self._lock(thread).owner != owner:
                raise LeaseLost(f"{owner} no longer holds thread {thread}")
            return self._take(thread, owner)

    def holds(self, lease: Lease) -> bool:
        with self.effects("leases.holds"):
            return self.newest(lease)

    def release(self, thread: ThreadId, owner: ExecutionId, *, fence: int | None = None) -> None:
        with self.effects("leases.release"):
            lock = self._lock(thread)
            if lock.owner == owner and fence in {None, lock.fence}:
                self.locks[thread] = _Lock(lock.fence)

    def holder(self, thread: ThreadId) -> ExecutionId | None:
        with self.effects("leases.holder"):
            return self._holder(thread)

    def newest(self, lease: Lease) -> bool:
        """Whether nobody acquired or renewed since."""
        lock = self._lock(lease.thread_id)
        return (lock.owner, lock.fence) == (lease.owner, lease.fence)

    def check(self, lease: Lease | None) -> None:
        """What every write under a lease depends on."""
        if lease is not None and not self.newest(lease):
            raise LeaseLost(f"{lease.owner} no longer holds thread {lease.thread_id}")

    def _lock(self, thread: ThreadId) -> _Lock:
        return self.locks.get(thread, _Lock())

    def _holder(self, thread: ThreadId) -> ExecutionId | None:
        lock = self._lock(thread)
        return lock.owner if lock.expires_at is not None and lock.expires_at > self.clock.now() else None

    def _take(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        lock = _Lock(self._lock(thread).fence + 1, owner, self.clock.now() + LEASE)
        self.locks[thread] = lock
        return Lease(thread, owner, lock.fence, self.clock.now() + LEASE)


@dataclass
class FakeSessions:
    """Sessions, inboxes with tombstones, votes, settings."""

    effects: Effects
    leases: FakeLeases
    threads: dict[ThreadId, Session] = field(default_factory=dict)
    inbox: dict[tuple[ThreadId, MessageId], InboxItem] = field(default_factory=dict)
    gone: set[tuple[ThreadId, MessageId]] = field(default_factory=set)
    edited: dict[tuple[ThreadId, MessageId], str] = field(default_factory=dict)
    votes: dict[tuple[ThreadId, MessageId, UserId], tuple[int, int]] = field(default_factory=dict)
    guilds: dict[GuildId, GuildSettings] = field(default_factory=dict)

    def get(self, thread: ThreadId) -> Session:
        with self.effects("sessions.get"):
            return self._session(thread)

    def update(self, thread: ThreadId, *, lease: Lease | None = None, **fields: Any) -> None:
        with self.effects("sessions.update"):
            _known(Session, fields, key="thread_id")
            self.leases.check(lease)
            self.threads[thread] = replace(self._session(thread), **fields)

    def vote(self, thread: ThreadId, message: MessageId, user: UserId, value: int) -> int:
        with self.effects("sessions.vote"):
            cast, change = self.votes.pop((thread, message, user), (0, 0))
            before = self._session(thread).confidence
            without = feedback.after_vote(before, -change) if cast else before
            confidence = feedback.after_vote(without, value) if value else without
            if value:
                self.votes[thread, message, user] = (value, confidence - without)
            self.threads[thread] = replace(self._session(thread), confidence=confidence)
            return confidence

    def put(self, item: InboxItem) -> bool:
        with self.effects("sessions.put"):
            key = (item.thread_id, item.message_id)
            if key in self.inbox or key in self.gone:
                return False
            self.inbox[key] = replace(item, content=self.edited.get(key, item.content))
            return True

    def waiting(self, thread: ThreadId, kind: ItemKind) -> tuple[InboxItem, ...]:
        with self.effects("sessions.waiting"):
            items = (item for item in self.inbox.values() if item.thread_id == thread and item.kind is kind)
            return tuple(sorted(items, key=lambda item: (len(item.message_id), item.message_id)))

    def remove(self, items: Iterable[InboxItem]) -> None:
        with self.effects("sessions.remove"):
            for item in items:
                self.inbox.pop((item.thread_id, item.message_id), None)
                self.gone.add((item.thread_id, item.message_id))

    def edit(self, thread: ThreadId, message: MessageId, content: str) -> bool:
        with self.effects("sessions.edit"):
            key = (thread, message)
            self.edited[key] = content
            queued = key in self.inbox
            if queued:
                self.inbox[key] = replace(self.inbox[key], content=content)
            return queued

    def drop(self, thread: ThreadId, message: MessageId) -> bool:
        with self.effects("sessions.drop"):
            self.gone.add((thread, message))
            return self.inbox.pop((thread, message), None) is not None

    def settings(self, guild: GuildId | None) -> GuildSettings:
        with self.effects("sessions.settings"):
            return self.guilds.get(guild or DIRECT_MESSAGES, GuildSettings())

    def put_settings(self, guild: GuildId, settings: GuildSettings, *, instead_of: GuildSettings | None = None) -> None:
        with self.effects("sessions.put_settings"):
            if instead_of is not None and self.guilds.get(guild, instead_of) != instead_of:
                raise Conflict("Somebody changed the settings at the same moment. Nothing was changed; try again.")
            self.guilds[guild] = settings

    def delete(self, thread: ThreadId) -> None:
        with self.effects("sessions.delete"):
            self.threads.pop(thread, None)
            self.inbox = {key: item for key, item in self.inbox.items() if key[0] != thread}
            self.leases.locks[thread] = _Lock(self.leases.locks.get(thread, _Lock()).fence + 1)

    def _session(self, thread: ThreadId) -> Session:
        return self.threads.get(thread, Session(thread))


@dataclass
class FakeExecutions:
    """Rows of runs; claims are remembered with the moment they were made."""

    effects: Effects
    leases: FakeLeases
    clock: Clock
    rows: dict[ExecutionId, ExecutionRecord] = field(default_factory=dict)
    claimed: dict[tuple[str, ExecutionId], datetime] = field(default_factory=dict)

    def create(self, record: ExecutionRecord) -> bool:
        with self.effects("executions.create"):
            new = record.execution_id not in self.rows
            if new:
                self.rows[record.execution_id] = record
            return new

    def get(self, execution: ExecutionId) -> ExecutionRecord | None:
        with self.effects("executions.get"):
            return self.rows.get(execution)

    def newest(self, thread: ThreadId, *, limit: int = 10) -> tuple[ExecutionRecord, ...]:
        with self.effects("executions.newest"):
            rows = [row for row in self.rows.values() if row.thread_id == thread]
            return tuple(sorted(rows, key=lambda row: row.created_at, reverse=True)[:limit])

    def update(self, execution: ExecutionId, *, lease: Lease | None = None, **fields: Any) -> None:
        with self.effects("executions.update"):
            _known(ExecutionRecord, fields, key="execution_id")
            self.leases.check(lease)
            self.rows[execution] = replace(self._row(execution), **fields)

    def request_stop(self, execution: ExecutionId, by: UserId) -> bool:
        with self.effects("executions.request_stop"):
            row = self.rows.get(execution)
            if row is None or row.status in _ENDED or row.stop_requested_by is not None:
                return False
            self.rows[execution] = replace(row, stop_requested_by=by, stop_requested_at=self.clock.now())
            return True

    def stop_requested(self, execution: ExecutionId) -> bool:
        with self.effects("executions.stop_requested"):
            row = self.rows.get(execution)
            return row is not None and row.stop_requested_by is not None

    def park(self, execution: ExecutionId, task_token: str, question: str) -> None:
        with self.effects("executions.park"):
            row = self._row(execution)
            if row.status in _ENDED:
                raise Conflict(f"{execution} has ended")
            self.claimed.pop(("unpark", execution), None)
            self.rows[execution] = replace(row, status=ExecutionStatus.PARKED, task_token=task_token, question=question)

    def unpark(self, execution: ExecutionId) -> str:
        with self.effects("executions.unpark"):
            row = self._row(execution)
            parked = row.status is ExecutionStatus.PARKED
            abandoned = self._abandoned("unpark", execution) and row.status not in _ENDED
            if not row.task_token or not (parked or abandoned):
                raise Conflict(f"{execution} is not parked")
            self.claimed["unpark", execution] = self.clock.now()
            self.rows[execution] = replace(row, status=ExecutionStatus.PROCESSING)
            return row.task_token

    def await_decision(self, execution: ExecutionId, approval: Approval) -> None:
        with self.effects("executions.await_decision"):
            row = self._row(execution)
            if row.approval is not None and row.approval.decision is not None:
                raise Conflict(f"{execution} has its decision already")
            self.rows[execution] = replace(row, approval=approval)

    def decide(self, execution: ExecutionId, sha: CommitSha, decision: Decision, by: UserId | None) -> str:
        with self.effects("executions.decide"):
            row = self._row(execution)
            approval = row.approval
            if approval is None or approval.commit.sha != sha:
                raise Conflict(f"{execution} has no such commit that waits")
            same = (approval.decision, approval.decided_by) == (decision, by)
            if approval.decision is not None and not (same and self._abandoned("decide", execution)):
                raise Conflict(f"the commit of {execution} was decided already")
            self.claimed["decide", execution] = self.clock.now()
            self.rows[execution] = replace(row, approval=replace(approval, decision=decision, decided_by=by))
            return approval.task_token

    def end(self, execution: ExecutionId, outcome: Outcome) -> bool:
        with self.effects("executions.end"):
            row = self._row(execution)
            claimed = ("end", execution) in self.claimed
            repeated = row.outcome is outcome
            if row.terminal_message_id is not None:
                return False
            if claimed and not repeated and not self._abandoned("end", execution):
                return False
            self.claimed["end", execution] = self.clock.now()
            self.rows[execution] = replace(
                row,
                outcome=outcome,
                status=ExecutionStatus.FAILED if outcome is Outcome.FAILED else ExecutionStatus.COMPLETED,
                completed_at=self.clock.now(),
                task_token="",
            )
            return True

    def ended(self, execution: ExecutionId, message: MessageId) -> None:
        with self.effects("executions.ended"):
            row = self._row(execution)
            if row.terminal_message_id is None:
                self.rows[execution] = replace(row, terminal_message_id=message)

    def _row(self, execution: ExecutionId) -> ExecutionRecord:
        row = self.rows.get(execution)
        if row is None:
            raise Conflict(f"there is no execution {execution}")
        return row

    def _abandoned(self, claim: str, execution: ExecutionId) -> bool:
        at = self.claimed.get((claim, execution))
        return at is not None and self.clock.now() - at >= TAKEOVER


def _known(record: type[Session] | type[ExecutionRecord], values: dict[str, Any], *, key: str) -> None:
    unknown = values.keys() - {*record.__struct_fields__} | (values.keys() & {key})
    if unknown:
        raise TypeError(f"{record.__name__} has no field {', '.join(sorted(unknown))}")


@dataclass
class FakeProposals:
    """Proposals by run and number."""

    effects: Effects
    kept: dict[tuple[ExecutionId, int], Proposal] = field(default_factory=dict)

    def keep(self, run: RunState, number: int, proposal: Proposal) -> None:
        with self.effects("proposals.keep"):
            self.kept[run.execution_id, number] = proposal

    def load(self, run: RunState, number: int) -> Proposal:
        with self.effects("proposals.load"):
            return self.kept[run.execution_id, number]
