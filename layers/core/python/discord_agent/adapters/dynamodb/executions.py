"""The rows of runs."""

from datetime import timedelta
from typing import Any, Final

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from msgspec import Struct

from discord_agent.adapters.codec import from_json, timestamp, to_item
from discord_agent.adapters.dynamodb.leases import hold
from discord_agent.adapters.dynamodb.store import ConditionFailed, Item, Store, Write, put, update
from discord_agent.domain.errors import Conflict, LeaseLost
from discord_agent.domain.ids import CommitSha, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import Approval, Decision, ExecutionRecord, ExecutionStatus, Lease
from discord_agent.ports import Clock

KEPT: Final = timedelta(days=30)
TAKEOVER: Final = timedelta(minutes=1)
"""After this a claim that was not followed up counts as abandoned: shorter than a queue's redelivery."""

_INDEX: Final = "thread_id-index"
_ENDED: Final = [ExecutionStatus.COMPLETED.value, ExecutionStatus.FAILED.value]
_FIELDS: Final = frozenset(ExecutionRecord.__struct_fields__) - {"execution_id"}


class DynamoExecutions(Struct, frozen=True):
    """Rows in the executions table; some writes depend on a lease in the sessions table.

    Besides the fields of ExecutionRecord a row holds the times at which somebody claimed to act on it:
    ``end_claimed_at``, ``unparked_at`` and ``decided_at``.
    """

    store: Store
    table: str
    sessions_table: str
    clock: Clock

    def create(self, record: ExecutionRecord) -> bool:
        """Store a new row; False if it exists."""
        row = to_item(record) | {"ttl": int((record.created_at + KEPT).timestamp())}
        is_new = Attr("execution_id").not_exists()
        return self._applies(put(self.table, row, is_new))

    def get(self, execution: ExecutionId) -> ExecutionRecord | None:
        """One row, by a consistent read."""
        row = self._row(execution)
        return from_json(ExecutionRecord, row) if row else None

    def newest(self, thread: ThreadId, *, limit: int = 10) -> tuple[ExecutionRecord, ...]:
        """The newest rows of a thread, newest first; a row written this second may be missing."""
        rows = self.store.query(self.table, Key("thread_id").eq(thread), index=_INDEX, newest_first=True, limit=limit)
        return tuple(from_json(ExecutionRecord, row) for row in rows)

    def update(self, execution: ExecutionId, *, lease: Lease | None = None, **fields: Any) -> None:
        """Set fields of ExecutionRecord by name; LeaseLost unless ``lease`` is the newest, Conflict without a row."""
        unknown = fields.keys() - _FIELDS
        if unknown:
            raise TypeError(f"ExecutionRecord has no field {', '.join(sorted(unknown))}")
        write = self._update(execution, Attr("execution_id").exists(), **fields)
        try:
            if lease is None:
                self.store.write(write)
            else:
                self.store.transact(write, hold(self.sessions_table, lease))
        except ConditionFailed as error:
            if 1 in error.writes:
                raise LeaseLost(f"{execution} no longer holds its thread") from error
            raise Conflict(f"there is no execution {execution}") from error

    def request_stop(self, execution: ExecutionId, by: UserId) -> bool:
        """Set the stop flag of a run that has not ended; False if it has, or was already asked to."""
        not_asked = Attr("stop_requested_by").not_exists()
        now = self.clock.now()
        return self._applies(self._update(execution, _alive() & not_asked, stop_requested_by=by, stop_requested_at=now))

    def stop_requested(self, execution: ExecutionId) -> bool:
        """Whether the stop flag is set."""
        # Asked twice a second by whoever waits: the rest of the row would be most of what a turn reads.
        row = self.store.get(self.table, {"execution_id": execution}, only="stop_requested_by") or {}
        return "stop_requested_by" in row

    def park(self, execution: ExecutionId, task_token: str, question: str) -> None:
        """Store the token a parked run waits on, replacing that of an earlier attempt; Conflict if the run has ended."""
        parked = self._update(
            execution,
            _alive(),
            status=ExecutionStatus.PARKED,
            task_token=task_token,
            question=question,
            unparked_at=None,
        )
        if not self._applies(parked):
            raise Conflict(f"{execution} has ended")

    def unpark(self, execution: ExecutionId) -> str:
        """Take the token, once; Conflict if the run is not parked.

        Whoever took it may have died before answering with it, so after a minute it may be taken again; answering
        twice with one token does nothing the second time::

            parked ──unpark──► processing, token kept ──a minute──► may be unparked again ──next park, end──► …
        """
        row = self._row(execution)
        token = row.get("task_token", "")
        now = self.clock.now()
        parked = Attr("status").eq(ExecutionStatus.PARKED.value)
        abandoned = Attr("unparked_at").lte(timestamp(now - TAKEOVER)) & _alive()
        still_the_same = Attr("task_token").eq(token)
        taken = self._update(
            execution, still_the_same & (parked | abandoned), status=ExecutionStatus.PROCESSING, unparked_at=now
        )
        if not token or not self._applies(taken):
            raise Conflict(f"{execution} is not parked")
        return str(token)

    def await_decision(self, execution: ExecutionId, approval: Approval) -> None:
        """Store a commit that waits for a decision, replacing an earlier attempt's; Conflict if it was decided."""
        first = Attr("approval").not_exists()
        undecided = Attr("approval.decision").not_exists()
        if not self._applies(self._update(execution, _known() & (first | undecided), approval=approval)):
            raise Conflict(f"{execution} has its decision already, or does not exist")

    def decide(self, execution: ExecutionId, sha: CommitSha, decision: Decision, by: UserId | None) -> str:
        """Record the decision once and return the token; Conflict if decided already, or for another commit.

        Whoever recorded it may have died before answering with the token, so after a minute the very same decision
        by the same person may be recorded again.
        """
        approval = self._waiting_commit(execution)
        while not self._applies(self._decided(execution, approval, sha, decision, by)):
            before, approval = approval, self._waiting_commit(execution)
            # The machine's token may come between the look and the write; a decision is not lost to that.
            if approval.task_token == before.task_token:
                raise Conflict(f"the commit of {execution} was decided already, or is another one than {sha:.7}")
        return approval.task_token

    def _waiting_commit(self, execution: ExecutionId) -> Approval:
        row = self._row(execution)
        if "approval" not in row:
            raise Conflict(f"{execution} has no commit that waits")
        return from_json(Approval, row["approval"])

    def _decided(
        self, execution: ExecutionId, approval: Approval, sha: CommitSha, decision: Decision, by: UserId | None
    ) -> Write:
        """The write that records a decision on a commit as it was looked at."""
        now = self.clock.now()
        same_token = Attr("approval.task_token").eq(approval.task_token)
        same_commit = Attr("approval.commit.sha").eq(sha)
        undecided = Attr("approval.decision").not_exists()
        same_person = Attr("approval.decided_by").eq(by) if by else Attr("approval.decided_by").not_exists()
        same_decision = Attr("approval.decision").eq(decision.value) & same_person
        abandoned = same_decision & Attr("decided_at").lte(timestamp(now - TAKEOVER))
        return self._update(
            execution,
            same_token & same_commit & (undecided | abandoned),
            approval=to_item(approval) | {"decision": decision} | ({"decided_by": by} if by else {}),
            decided_at=now,
        )

    def end(self, execution: ExecutionId, outcome: Outcome) -> bool:
        """Claim the right to post the terminal message; False if it was posted, or is about to be with another outcome.

        A repeated claim with the same outcome leads to posts with the same nonces, which Discord shows once; that is
        how a retried step goes on where it died. Conflict without a row::

            running ──end──► claimed ──ended──► has its message: nobody may end it again
                               │ ▲ │
              same outcome ────┴─┘ └──a minute──► may be claimed with any outcome
        """
        now = self.clock.now()
        unposted = Attr("terminal_message_id").not_exists()
        unclaimed = Attr("end_claimed_at").not_exists()
        repeated = Attr("outcome").eq(outcome.value)
        abandoned = Attr("end_claimed_at").lte(timestamp(now - TAKEOVER))
        claim = self._update(
            execution,
            _known() & unposted & (unclaimed | repeated | abandoned),
            outcome=outcome,
            status=ExecutionStatus.FAILED if outcome is Outcome.FAILED else ExecutionStatus.COMPLETED,
            completed_at=now,
            end_claimed_at=now,
            task_token=None,
        )
        if self._applies(claim):
            return True
        if not self._row(execution):
            raise Conflict(f"there is no execution {execution}")
        return False

    def ended(self, execution: ExecutionId, message: MessageId) -> None:
        """Note which message was the terminal one; the first one noted stays."""
        unposted = Attr("terminal_message_id").not_exists()
        self._applies(self._update(execution, _known() & unposted, terminal_message_id=message))

    def _row(self, execution: ExecutionId) -> Item:
        return self.store.get(self.table, {"execution_id": execution}) or {}

    def _update(self, execution: ExecutionId, condition: ConditionBase, **values: Any) -> Write:
        return update(self.table, {"execution_id": execution}, values=values, condition=condition)

    def _applies(self, write: Write) -> bool:
        try:
            self.store.transact(write)
        except ConditionFailed:
            return False
        return True


def _known() -> ConditionBase:
    return Attr("execution_id").exists()


def _alive() -> ConditionBase:
    not_ended = ~Attr("status").is_in(_ENDED)
    return _known() & not_ended
