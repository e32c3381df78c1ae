"""The main job, played through Discord's own interfaces and judged from the system's own records."""

import tempfile
import time
from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from devstack.discord.records import Message
from devstack.discord.seed import GENERAL_ID
from devstack.discord.server import DiscordServer
from devstack.options import DEMO_TASK, Options
from devstack.person import Person
from devstack.records import Records, dollars, is_ancestor, main_sha
from devstack.stack import DevStack
from discord_agent.domain import cloud, events
from discord_agent.domain.errors import AgentError, InvalidSettings
from discord_agent.domain.ids import ExecutionId, MessageId, decision_owner, execution_for_message
from discord_agent.domain.session import Decision, ExecutionRecord
from discord_agent.steps.launch import MACHINES

_MERGE: Final = "👍"
_POLL: Final = 0.05


class DidNotHappen(AgentError):
    """Something the main job waits for did not happen in time."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the records say; ``holds`` only if nothing is wrong with them."""

    facts: dict[str, Any]

    @property
    def holds(self) -> bool:
        """Whether the main job was done."""
        return not self.facts["faults"]

    def text(self) -> str:
        """For people."""
        lines = [f"{name:22} {value}" for name, value in self.facts.items() if name != "faults"]
        return "\n".join([*lines, *(f"FAULT: {fault}" for fault in self.facts["faults"])])


def play(options: Options, *, task: str | None, timeout: float) -> Report:
    """Start a stack of its own, ask, wait for the commit card, approve, judge."""
    with tempfile.TemporaryDirectory() as folder, DevStack(replace(options, data=Path(folder))) as stack:
        return Job(stack, task or DEMO_TASK, timeout).play()


class Job:
    """One request on a running stack, from the message to the merge."""

    def __init__(self, stack: DevStack, task: str, timeout: float, channel: str = GENERAL_ID) -> None:
        if stack.discord is None:
            raise InvalidSettings("the demo plays on the local Discord: unset DISCORD_TOKEN")
        self._stack = stack
        self._discord: DiscordServer = stack.discord
        self._task = task
        self._channel = channel
        self._deadline = time.monotonic() + timeout
        self.records = Records(stack)
        self.person = Person(stack.url)
        self.message = MessageId("")

    @property
    def execution(self) -> ExecutionId:
        """The run's name."""
        return execution_for_message(self.message)

    @property
    def thread(self) -> str:
        """The thread opened on the request."""
        return self.message

    @property
    def channel(self) -> str:
        """Where it is asked."""
        return self._channel

    def ask(self) -> float:
        """Post the request; seconds until the bot showed that it saw it."""
        started = time.monotonic()
        self.message = MessageId(self.person.say(self._channel, f"<@{self._discord.bot_id}> {self._task}"))
        self._until("the bot shows that it saw the request", self._seen)
        return time.monotonic() - started

    def await_record(self, what: str, holds: Callable[[ExecutionRecord], bool]) -> ExecutionRecord:
        """The run's row once something holds of it."""

        def found() -> ExecutionRecord | None:
            record = self.records.executions.get(self.execution)
            return record if record is not None and holds(record) else None

        return self._until(what, found)

    def play(self) -> Report:
        """Ask, wait, approve, judge; what does not happen in time is a fault like any other."""
        started = time.monotonic()
        faults: list[str] = []
        first_sign: float | None = None
        try:
            first_sign = self.ask()
            self.await_record(
                "the run posts its terminal message", lambda record: record.terminal_message_id is not None
            )
            approving = self.await_record("the commit waits for a decision", self._has_its_last_word).approval
            if approving is not None:
                self.person.react(self.thread, approving.message_id, _MERGE)
                self._until("the approval ends", self._approval_ended)
        except DidNotHappen as error:
            faults.append(str(error))
        deployed = self._stack.deployed
        facts = {
            **({"against": self._stack.options.against, "deployed": deployed.counts} if deployed else {}),
            **self._facts(),
            "first_sign_seconds": _rounded(first_sign),
            "seconds": _rounded(time.monotonic() - started),
        }
        return Report({**facts, "faults": [*faults, *_faults(facts)]})

    def _facts(self) -> dict[str, Any]:
        record = self.records.executions.get(self.execution)
        entries = self.records.audit.entries(record.thread_id) if record else ()
        commit = record.approval.commit if record and record.approval else None
        turns = [entry for entry in entries if entry.kind == "turn"]
        transitions = self.records.transitions(MACHINES[record.flow], self.execution) if record else 0
        in_loop = self.records.loop_transitions(self.execution) if turns else 0
        tests = self.records.tests(record.thread_id) if record else None
        card_edits = self._card(record).edit_count if record and record.card_message_id else 0
        with self.records.clone() as clone:
            sha = main_sha(clone)
            merged = commit is not None and is_ancestor(clone, commit.sha)
        return {
            "execution_id": self.execution,
            "execution_status": self.records.execution_status(MACHINES[record.flow], self.execution)
            if record
            else None,
            "outcome": record.outcome if record else None,
            "turns": len(turns),
            "rounds": sum(int(entry.details["rounds"]) for entry in turns),
            "transitions": transitions,
            "transitions_per_turn": _per_turn(in_loop, len(turns)),
            "terminal_messages": sum(entry.kind == events.EXECUTION_COMPLETED for entry in entries),
            "card_edits": card_edits,
            "commit_sha": commit.sha if commit else None,
            "branch": commit.branch if commit else None,
            "merged": merged,
            "main_sha": sha,
            "tests_run": tests.run if tests else 0,
            "tests_passed": tests.passed if tests else 0,
            "cost_usd": _amount(dollars(self.records.model_cost())),
            "settled_usd": _amount(dollars(record.cost)) if record else None,
            "aws_estimate_usd": round(float(cloud.cost_of(record.cloud).amount), 6) if record else None,
        }

    def _seen(self) -> bool:
        found = next((item for item in self._discord.messages(self._channel) if item.id == self.message), None)
        return found is not None and bool(found.reactions)

    def _card(self, record: ExecutionRecord) -> Message:
        return next(item for item in self._discord.messages(record.thread_id) if item.id == record.card_message_id)

    def _has_its_last_word(self, record: ExecutionRecord) -> bool:
        """Its commit waits for a decision, or it ended without any."""
        is_over = self.records.has_ended(MACHINES[record.flow], self.execution)
        makes_no_commit = is_over and self.records.sessions.get(record.thread_id).pending is None
        return record.approval is not None or makes_no_commit

    def _approval_ended(self) -> bool:
        record = self.records.executions.get(self.execution)
        decided = record is not None and record.approval is not None and record.approval.decision is Decision.MERGE
        return decided and self.records.has_ended("approval", decision_owner(self.execution))

    def _until[T](self, what: str, check: Callable[[], T | None]) -> T:
        while time.monotonic() < self._deadline:
            found = check()
            if found:
                return found
            time.sleep(_POLL)
        raise DidNotHappen(f"not in time: {what}")


def _faults(facts: dict[str, Any]) -> list[str]:
    rules = (
        (facts["execution_status"] == "SUCCEEDED", f"the execution is {facts['execution_status']}, not SUCCEEDED"),
        (facts["outcome"] == "done", f"the outcome is {facts['outcome']}, not done"),
        (facts["terminal_messages"] == 1, f"{facts['terminal_messages']} terminal messages instead of one"),
        (facts["turns"] >= 1, "no turn was played"),
        (facts["card_edits"] >= 1, "the card was never edited"),
        (facts["commit_sha"] is not None, "there is no commit"),
        (facts["merged"], "the commit is not part of main"),
        (facts["settled_usd"] == facts["cost_usd"], f"${facts['settled_usd']} are settled, ${facts['cost_usd']} spent"),
        (facts["tests_passed"] == facts["tests_run"], f"{facts['tests_passed']} of {facts['tests_run']} tests passed"),
    )
    return [fault for holds, fault in rules if not holds]


def _per_turn(transitions: int, turns: int) -> float | None:
    return round(transitions / turns, 2) if turns else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _amount(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
