"""Queues, state machines and the audit trail, kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from discord_agent.adapters.events import body_of
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.events import AgenticEvent, AuditEntry
from discord_agent.domain.ids import ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.measures import Measure
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import RunState
from discord_agent.steps.launch import MACHINES
from tests.support.events import check_event
from tests.support.fakes.effects import Effects


@dataclass
class FakeAudit:
    """Rows in the order they came."""

    effects: Effects
    rows: list[AuditEntry] = field(default_factory=list)

    def record(self, entry: AuditEntry) -> None:
        with self.effects("audit.record"):
            self.rows.append(entry)

    def entries(self, thread: ThreadId) -> tuple[AuditEntry, ...]:
        with self.effects("audit.entries"):
            return tuple(entry for entry in self.rows if entry.thread_id == thread)

    def newest(self, thread: ThreadId, kind: str, *, limit: int) -> tuple[AuditEntry, ...]:
        with self.effects("audit.newest"):
            found = [entry for entry in self.rows if (entry.thread_id, entry.kind) == (thread, kind)]
            return tuple(found[::-1][:limit])

    def of(self, kind: str) -> list[AuditEntry]:
        """The rows of one kind."""
        return [entry for entry in self.rows if entry.kind == kind]


@dataclass
class FakeEvents:
    """Events in the order they came, each as published."""

    effects: Effects
    emitted: list[AgenticEvent] = field(default_factory=list)

    def emit(self, event: AgenticEvent) -> None:
        with self.effects("events.emit"):
            check_event(body_of(event, id="an-id", at=datetime.now(UTC), redactor=Redactor()))
            self.emitted.append(event)

    def types(self) -> list[str]:
        """What happened, in order."""
        return [event.type for event in self.emitted]


@dataclass
class FakeMetrics:
    """Figures by measure and what they are of, in the order they came."""

    recorded: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def record(self, measure: Measure, value: float = 1, *, of: str = "") -> None:
        measure.dimensions(of)
        self.recorded.setdefault((measure.name, of), []).append(value)

    def of(self, measure: Measure, value: str = "") -> list[float]:
        """The figures of one metric."""
        return self.recorded.get((measure.name, value), [])


@dataclass
class FakeConsole:
    """A console with a page for every execution."""

    def address(self, machine: str, execution: ExecutionId) -> str:
        return f"https://console.test/{machine}/{execution}"


@dataclass
class FakeMachines:
    """Executions by machine and name; ``waiting`` holds the tokens of tasks that still wait."""

    effects: Effects
    started: dict[tuple[str, ExecutionId], RunState | Mapping[str, object]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    answered: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def start(self, machine: str, execution: ExecutionId, data: RunState | Mapping[str, object]) -> None:
        with self.effects("machines.start"):
            if machine not in {*MACHINES.values(), "approval"}:
                raise InvalidInput(f"there is no machine {machine}")
            self.started.setdefault((machine, execution), data)

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> bool:
        with self.effects("machines.succeed"):
            if task_token not in self.waiting:
                return False
            self.waiting.remove(task_token)
            self.answered[task_token] = output
            return True


@dataclass
class FakeStopMarkers:
    """The markers that were left."""

    effects: Effects
    left: set[tuple[ThreadId, ExecutionId]] = field(default_factory=set)

    def stop(self, thread: ThreadId, execution: ExecutionId) -> None:
        with self.effects("markers.stop"):
            self.left.add((thread, execution))


@dataclass
class FakeWakeups:
    """Wake-ups in the order they were asked for."""

    effects: Effects
    scheduled: list[tuple[ThreadId, UserId, MessageId, timedelta]] = field(default_factory=list)

    def schedule(self, thread: ThreadId, author: UserId, message: MessageId, delay: timedelta) -> None:
        with self.effects("wakeups.schedule"):
            if delay > timedelta(minutes=15):
                raise InvalidInput("a queue delays by at most 15 minutes")
            self.scheduled.append((thread, author, message, delay))
