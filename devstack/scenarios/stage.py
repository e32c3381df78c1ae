"""A running stack as a scenario uses it: people who ask, react and press, and the system's records to judge by."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import replace
from dataclasses import dataclass, field
from typing import Any, Final

from devstack.demo import DidNotHappen
from devstack.discord.records import Message
from devstack.discord.seed import ADA_ID, GENERAL_ID, GUILD_ID, LINUS_ID
from devstack.discord.server import DiscordServer
from devstack.model.log import LoggedCall
from devstack.model.server import ModelServer
from devstack.person import Person
from devstack.records import Records
from devstack.stack import DevStack
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.events import EXECUTION_COMPLETED, AuditEntry
from discord_agent.domain.ids import ExecutionId, GuildId, MessageId, ThreadId, execution_for_message
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus, Session
from discord_agent.steps.launch import MACHINES

_POLL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Findings:
    """What a scenario found: figures, and the sentences that have to hold."""

    facts: dict[str, Any]
    rules: tuple[tuple[str, bool], ...]

    @property
    def faults(self) -> list[str]:
        """The sentences that do not hold."""
        return [f"not so: {sentence}" for sentence, holds in self.rules if not holds]


@dataclass(slots=True)
class Stage:
    """A stack that runs, until ``deadline`` on the monotonic clock; ada is an administrator, linus a member."""

    stack: DevStack
    discord: DiscordServer
    model: ModelServer
    records: Records
    ada: Person
    linus: Person
    deadline: float
    runs: list["Run"] = field(default_factory=list)

    @classmethod
    def on(cls, stack: DevStack, timeout: float) -> "Stage":
        """The stage that a stack is; InvalidSettings if it has a real Discord or real models."""
        if stack.discord is None or stack.model is None:
            raise InvalidSettings("scenarios play on the local Discord with scripted models: unset the real ones' keys")
        people = Person(stack.url, ADA_ID), Person(stack.url, LINUS_ID)
        return cls(stack, stack.discord, stack.model, Records(stack), *people, time.monotonic() + timeout)

    def ask(self, text: str, *, person: Person | None = None, channel: str = GENERAL_ID) -> "Run":
        """Mention the bot in a channel."""
        return self.said((person or self.ada).say(channel, f"<@{self.discord.bot_id}> {text}"))

    def said(self, message: str) -> "Run":
        """The run that a message starts."""
        return self.run(execution_for_message(MessageId(message)))

    def run(self, execution: ExecutionId) -> "Run":
        """A run by its name; from now on it is part of the report."""
        run = Run(self, execution)
        self.runs.append(run)
        return run

    def until[T](self, what: str, probe: Callable[[], T | None]) -> T:
        """Wait for something; DidNotHappen when the scenario's time is over."""
        while time.monotonic() < self.deadline:
            found = probe()
            if found:
                return found
            time.sleep(_POLL)
        raise DidNotHappen(f"not in time: {what}")

    def calls(self, purpose: str, words: str) -> list[LoggedCall]:
        """What the model was asked for a purpose about something, oldest first."""
        calls = (call for call in self.model.calls if call.purpose == purpose)
        return [call for call in calls if words in json.dumps(call.messages, ensure_ascii=False)]

    def whispered(self, thread: str, user: str, text: str) -> bool:
        """Whether one person alone was told something in a thread."""
        shown = self.discord.parts.world.store.children(Message, thread)
        return any(message.visible_to == user and text in message.content for message in shown)

    def heard_in_general(self, text: str, user: str) -> bool:
        """Whether the bot said something where requests are written, to all or to one person."""
        shown = self.discord.parts.world.store.children(Message, GENERAL_ID)
        return any(
            message.author_id == self.discord.bot_id
            and message.visible_to in (None, "", user)
            and text in message.content
            for message in shown
        )

    def session(self, thread: str) -> Session:
        """What is remembered about a thread."""
        return self.records.sessions.get(ThreadId(thread))

    @contextmanager
    def settings(self, **changes: Any) -> Iterator[None]:
        """The guild's settings, changed for a while."""
        sessions, guild = self.records.sessions, GuildId(GUILD_ID)
        before = sessions.settings(guild)
        sessions.put_settings(guild, replace(before, **changes))
        try:
            yield
        finally:
            sessions.put_settings(guild, before)


@dataclass(frozen=True, slots=True)
class Run:
    """One run, looked at from outside."""

    stage: Stage
    execution: ExecutionId

    @property
    def record(self) -> ExecutionRecord:
        """Its row; DidNotHappen if there is none."""
        record = self.stage.records.executions.get(self.execution)
        if record is None:
            raise DidNotHappen(f"there is no run {self.execution}")
        return record

    @property
    def thread(self) -> str:
        """Where it works."""
        return self.record.thread_id

    @property
    def outcome(self) -> Outcome | None:
        """How it ended."""
        return self.record.outcome

    def once(self, what: str, holds: Callable[[ExecutionRecord], object]) -> ExecutionRecord:
        """Wait until something holds of its row."""

        def probe() -> ExecutionRecord | None:
            record = self.stage.records.executions.get(self.execution)
            return record if record is not None and holds(record) else None

        return self.stage.until(what, probe)

    def ended(self) -> ExecutionRecord:
        """Wait for its terminal message and for the end of its state machine."""
        record = self.once(f"{self.execution} posts its terminal message", lambda record: record.terminal_message_id)
        machine = MACHINES[record.flow]
        self.stage.until("the machine ends", lambda: self.stage.records.has_ended(machine, self.execution))
        return self.record

    def parked(self) -> ExecutionRecord:
        """Wait until it asks people something."""
        return self.once(
            f"{self.execution} waits for people",
            lambda record: record.status is ExecutionStatus.PARKED and record.question_message_id,
        )

    def reached_turn(self, number: int) -> None:
        """Wait until so many turns are saved."""
        self.once(f"{self.execution} saves turn {number}", lambda record: record.turns >= number)

    @property
    def entries(self) -> list[AuditEntry]:
        """Its audit trail, oldest first."""
        entries = self.stage.records.audit.entries(ThreadId(self.thread))
        return [entry for entry in entries if entry.execution_id == self.execution]

    def entries_of(self, kind: str) -> list[AuditEntry]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    @property
    def messages(self) -> list[Message]:
        """The bot's messages where it works, oldest first."""
        shown = self.stage.discord.messages(self.thread)
        return [message for message in shown if message.author_id == self.stage.discord.bot_id]

    def message(self, identifier: str | None) -> Message | None:
        """One of them."""
        return next((message for message in self.messages if message.id == identifier), None)

    def shows(self, text: str) -> bool:
        """Whether a message of the bot where it works holds a text."""
        return any(text in f"{message.content} {message.embeds}" for message in self.messages)

    def buttons(self) -> list[str]:
        """The labels of all buttons there, oldest first."""
        return [button.get("label", "") for _, button in self._buttons()]

    def press(self, label: str, *, person: Person | None = None) -> None:
        """Wait for a button that begins like this and press the newest."""

        def newest() -> tuple[str, str] | None:
            found = [each for each in self._buttons() if str(each[1].get("label", "")).startswith(label)]
            return (found[-1][0], str(found[-1][1]["custom_id"])) if found else None

        message, custom_id = self.stage.until(f"there is a button {label!r}", newest)
        (person or self.stage.ada).press(self.thread, message, custom_id)

    def say(self, text: str, *, person: Person | None = None) -> str:
        """Write something where it works; the message."""
        return (person or self.stage.ada).say(self.thread, text)

    def read(self, path: str) -> str:
        """A file of the thread's workspace as it is stored, "" if there is none."""
        thread, workspaces = ThreadId(self.thread), self.stage.records.workspaces
        head = workspaces.head(thread)
        manifest = workspaces.load(thread, head.manifest_id) if head else None
        if manifest is None or path not in manifest.by_path():
            return ""
        return workspaces.read(thread, manifest, path).decode("utf-8", "replace")

    def retried(self, number: int = 1) -> "Run":
        """The run that took this one up again."""
        return self.stage.run(ExecutionId(f"{self.execution}-r{number}"))

    @property
    def models(self) -> list[str]:
        """The models that played its turns, each time it changed."""
        played = [str(entry.details["model"]) for entry in self.entries_of("round")]
        return [model for number, model in enumerate(played) if number == 0 or played[number - 1] != model]

    @property
    def ends(self) -> tuple[tuple[str, bool], ...]:
        """What holds of every run that is over."""
        record = self.record
        machine = self.stage.records.execution_status(MACHINES[record.flow], self.execution)
        holder = self.stage.records.leases.holder(ThreadId(self.thread))
        return (
            ("its state machine ended by itself", machine == "SUCCEEDED"),
            ("it has one terminal message", len(self.entries_of(EXECUTION_COMPLETED)) == 1),
            ("it holds no lease any more", holder != self.execution),
        )

    def facts(self) -> dict[str, Any]:
        """The figures of the run for the report."""
        record = self.stage.records.executions.get(self.execution)
        if record is None:
            return {"execution_id": self.execution, "status": None}
        return {
            "execution_id": self.execution,
            "flow": record.flow,
            "status": record.status,
            "outcome": record.outcome,
            "turns": record.turns,
            "models": self.models,
            "cost_usd": float(record.cost.known.amount),
            "entries": [entry.kind for entry in self.entries],
        }

    def _buttons(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            (message.id, button)
            for message in self.messages
            for row in message.components
            for button in row["components"]
        ]
