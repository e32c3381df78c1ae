"""Ending what could not end itself: a failed execution, or a message that no attempt could process."""

import hashlib
from copy import replace
from typing import Any

from msgspec import Struct

from discord_agent.domain import cards
from discord_agent.domain.errors import DiscordRefused, Stopped
from discord_agent.domain.ids import ChannelId, MessageId, ThreadId, UserId, decision_owner, execution_for_message
from discord_agent.domain.inbound import InboundMessage
from discord_agent.domain.run import Outcome, RunState, StepFailure
from discord_agent.domain.session import ExecutionRecord, ItemKind
from discord_agent.ports import Discord, Executions, Leases, Sessions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.spending import charge_lost
from discord_agent.steps.terminal import Terminal


class Fail(Struct, frozen=True):
    """Idempotent per execution: one terminal message, the lease given back, nobody left waiting."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    executions: Executions
    terminal: Terminal
    chronicle: Chronicle

    def run_failed(self, run: RunState) -> None:
        """End a run: tell people what happened, what is kept and how to go on; one that has ended is only set free."""
        record = self.executions.get(run.execution_id)
        run = _as_recorded(run, record)
        if record is not None and record.terminal_message_id is not None:
            # Only finishing and deciding come after the terminal message, so it is the decision that failed.
            self.leases.release(run.thread_id, run.execution_id)
            if run.commit is not None:
                self.decision_failed(run)
            return
        failure = run.failure or StepFailure("Unknown")
        self.chronicle.note(
            run.thread_id, run.execution_id, "failure", error=failure.error, cause=failure.cause, turn=run.turn
        )
        self._free(run)
        channel = ChannelId(run.thread_id)
        if record is None:
            # Without a row there is nothing to claim; the nonce alone keeps a second attempt quiet.
            self.discord.send(channel, cards.failed(run), nonce=f"{run.execution_id}/end/0")
        else:
            self.terminal.post(run, channel, (cards.failed(self.terminal.settled(run)),))

    def decision_failed(self, run: RunState) -> None:
        """A decision could not be carried out: the branch is kept and people are told.

        Nothing is lost while there is none: the card stays, and ``intake`` has a later decision carried out anew.
        """
        failure = run.failure or StepFailure("Unknown")
        self.leases.release(run.thread_id, decision_owner(run.execution_id))
        self.chronicle.note(
            run.thread_id, run.execution_id, "decision_failed", error=failure.error, cause=failure.cause
        )
        record = self.executions.get(run.execution_id)
        approval = record.approval if record else None
        if approval is not None and approval.task_token and approval.decision is None:
            return
        self.discord.send(
            ChannelId(run.thread_id), cards.decision_failed(run), nonce=f"{run.execution_id}/decision-failed"
        )

    def message_lost(self, message: InboundMessage) -> None:
        """A message that was retried in vain: its author is told, unless the bot was not addressed."""
        self.chronicle.note(
            ThreadId(message.channel_id), None, "message_failed", actor=message.author.id, messageId=message.id
        )
        if message.mentions_bot or self._takes_part(ThreadId(message.channel_id)):
            self.discord.send(message.channel_id, cards.message_failed(message), nonce=f"m-{message.id}/lost")

    def wakeup_lost(self, thread: ThreadId, author: UserId, message: MessageId) -> None:
        """A request that could not be classified or started: its author is told, and it waits no longer.

        Unless the author wrote on meanwhile: the newer message has a wake-up of its own, which takes up all of them.
        """
        items = tuple(item for item in self.sessions.waiting(thread, ItemKind.REQUEST) if item.author_id == author)
        charge_lost(self.terminal.budgets, execution_for_message(message))
        self.chronicle.note(thread, None, "wakeup_failed", actor=author, messageId=message, waiting=len(items))
        if any(int(item.message_id) > int(message) for item in items):
            return
        if any(item.forced for item in items):
            self.discord.send(ChannelId(thread), cards.request_failed(message), nonce=f"m-{message}/lost")
        self.sessions.remove(items)

    def event_lost(self, body: dict[str, Any]) -> None:
        """Any other event that was retried in vain; the channel is told if it can be made out."""
        data = body.get("data")
        channel = data.get("channel_id") if isinstance(data, dict) else None
        event = str(body.get("event", "unknown"))[:40]
        thread = ThreadId(channel) if isinstance(channel, str) and channel.isdigit() else ThreadId("unknown")
        self.chronicle.note(thread, None, "event_failed", event=event)
        if thread != "unknown" and self._takes_part(thread):
            reference = hashlib.sha256(repr(sorted(body)).encode() + str(data).encode()).hexdigest()[:8]
            self.discord.send(ChannelId(thread), cards.event_failed(event, reference), nonce=f"e-{reference}/lost")

    def _takes_part(self, thread: ThreadId) -> bool:
        return bool(self.executions.newest(thread, limit=1))

    def _free(self, run: RunState) -> None:
        session = self.sessions.get(run.thread_id)
        if session.parked == run.execution_id:
            self.sessions.update(run.thread_id, parked=None)
        if run.turn > 0:
            self.sessions.update(run.thread_id, dirty=True)
        self.leases.release(run.thread_id, run.execution_id)
        self._close_card(run)

    def _close_card(self, run: RunState) -> None:
        if run.card_message_id is None:
            return
        try:
            self.discord.edit(ChannelId(run.thread_id), run.card_message_id, cards.progress(run, run.card_lines))
        except DiscordRefused as error:
            self.chronicle.note(run.thread_id, run.execution_id, "card_refused", reason=str(error))


def _as_recorded(run: RunState, record: ExecutionRecord | None) -> RunState:
    """The run as far as it got: a failure may arrive with the state that the execution began with."""
    stopped = run.failure is not None and run.failure.error == Stopped.__name__
    run = replace(run, outcome=Outcome.STOPPED if stopped else Outcome.FAILED)
    if record is None:
        return run
    if record.reached is not None and record.reached.turn >= run.turn and not run.card_lines:
        run = replace(record.reached, failure=run.failure, outcome=run.outcome)
    run = replace(run, thread_id=record.thread_id, card_message_id=run.card_message_id or record.card_message_id)
    if record.manifest_id is None:
        return run
    return replace(run, manifest_id=record.manifest_id, turn=record.turns, usage=record.usage, cost=record.cost)
