"""Telling the audit trail, other systems and the metrics what a run did."""

from typing import Any

from msgspec import Struct

from discord_agent.domain.events import EXECUTION_STARTED, AgenticEvent, AuditEntry
from discord_agent.domain.ids import ExecutionId, ThreadId, UserId
from discord_agent.domain.measures import Measure
from discord_agent.domain.money import Cost
from discord_agent.domain.run import RunState
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import AuditLog, Clock, Events, Metrics


class Chronicle(Struct, frozen=True):
    """Writes audit rows, sends agentic events and notes figures."""

    audit: AuditLog
    events: Events
    clock: Clock
    metrics: Metrics

    def note(
        self,
        thread: ThreadId,
        execution: ExecutionId | None,
        kind: str,
        *,
        actor: UserId | None = None,
        cost: Cost | None = None,
        **details: Any,
    ) -> None:
        """Append a row to the audit trail; ``details`` are in camelCase."""
        self.audit.record(AuditEntry(thread, kind, self.clock.now(), execution, actor, details, cost))

    def announce(self, thread: ThreadId, event: str, **details: Any) -> None:
        """Send an agentic event; ``details`` are in camelCase."""
        self.events.emit(AgenticEvent(event, thread, details))

    def measure(self, measure: Measure, value: float = 1, *, of: str = "") -> None:
        """Note a figure."""
        self.metrics.record(measure, value, of=of)

    def started(self, run: RunState, record: ExecutionRecord) -> None:
        """Tell that a run began: what it is, and who asked for what."""
        self.note(
            run.thread_id,
            run.execution_id,
            EXECUTION_STARTED,
            actor=record.author_id,
            taskType=run.task_type,
            agentRole=run.role,
            flow=record.flow,
            request=record.request,
        )
        self.announce(run.thread_id, EXECUTION_STARTED, taskType=run.task_type, agentRole=run.role)
