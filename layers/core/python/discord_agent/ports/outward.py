"""Records, events, queues, state machines and time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from discord_agent.domain.events import AgenticEvent, AuditEntry
from discord_agent.domain.ids import (
    ExecutionId,
    MessageId,
    ThreadId,
    UserId,
)
from discord_agent.domain.measures import Measure
from discord_agent.domain.run import RunState
from discord_agent.envelope import Envelope


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class AuditLog(Protocol):
    """The audit trail (table ``discord-messages``)."""

    def record(self, entry: AuditEntry) -> None:
        """Append an entry; secrets are redacted."""

    def entries(self, thread: ThreadId) -> tuple[AuditEntry, ...]:
        """All entries of a thread, oldest first."""

    def newest(self, thread: ThreadId, kind: str, *, limit: int) -> tuple[AuditEntry, ...]:
        """The newest entries of one kind among a thread's newest thousand, newest first."""


class Events(Protocol):
    """The queue ``agentic_events``."""

    def emit(self, event: AgenticEvent) -> None:
        """Send an event with id, time and schema version."""


class Metrics(Protocol):
    """Figures about the bot at work."""

    def record(self, measure: Measure, value: float = 1, *, of: str = "") -> None:
        """Note a figure; ``of`` is one of the measure's values, where it has some."""


class Machines(Protocol):
    """The state machines."""

    def start(self, machine: str, execution: ExecutionId, data: RunState | Mapping[str, object]) -> None:
        """Start an execution of a machine of the declaration; the same name again is no error and starts nothing.

        ``data`` is its input: a RunState, or a mapping with a RunState among its values.
        """

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Answer a waiting task; False if it no longer waits."""


class Console(Protocol):
    """Where operators look at executions."""

    def address(self, machine: str, execution: ExecutionId) -> str:
        """The page of an execution of a machine of the declaration; "" where there is none."""


class InboundQueue(Protocol):
    """The queue of events from Discord. Errors: StateUnavailable, InvalidEvent."""

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        """Queue an event once, in order per thread; ``occurrence`` tells apart events that can happen again."""


class Wakeups(Protocol):
    """The delayed queue that starts classification."""

    def schedule(self, thread: ThreadId, author: UserId, message: MessageId, delay: timedelta) -> None:
        """Wake ``classify`` after ``delay`` (at most 15 minutes)."""
