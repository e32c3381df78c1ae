"""Parking a run with a question, at no cost, until somebody answers or extends its budget."""

from typing import Final

from msgspec import Struct

from discord_agent.domain import cards
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable, Stopped
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.run import RunState, Waiting
from discord_agent.ports import Discord, Executions, Leases, Sessions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold

_KINDS: Final = {Waiting.ANSWER: "clarification", Waiting.MONEY: "budget_reached"}
"""What the audit trail calls it."""


class Clarify(Struct, frozen=True):
    """Called with a task token; the machine waits until ``intake`` answers it."""

    leases: Leases
    executions: Executions
    sessions: Sessions
    discord: Discord
    chronicle: Chronicle

    def __call__(self, run: RunState, task_token: str) -> None:
        """Store the token, ask, give the lease back; Stopped if somebody asked the run to stop before it parked."""
        lease = hold(self.leases, run)
        # Before the token is there: what comes in from then on has to know whether it is an answer.
        self.executions.update(run.execution_id, waiting=run.waiting, needed=run.needed)
        self.executions.park(run.execution_id, task_token, run.question)
        # Looked at once the token is there: whoever stops the run later finds it and answers it.
        if self.executions.stop_requested(run.execution_id):
            raise Stopped(f"{run.execution_id} was stopped before it could ask")
        self.sessions.update(run.thread_id, lease=lease, parked=run.execution_id)
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            _KINDS[run.waiting],
            turn=run.turn,
            question=run.question,
            options=list(run.options),
        )
        # Before the question: whoever answers it at once has the card say that the run goes on.
        self._show_waiting(run)
        message = self.discord.send(ChannelId(run.thread_id), cards.clarification(run), nonce=_nonce(run))
        self.executions.update(run.execution_id, question_message_id=message)
        # The answer may be faster than this attempt: the next step's lease is not to be given back here.
        self.leases.release(run.thread_id, run.execution_id, fence=lease.fence)

    def _show_waiting(self, run: RunState) -> None:
        """Have the live card say so; what Discord refuses never fails a run."""
        if run.card_message_id is None:
            return
        try:
            self.discord.edit(ChannelId(run.thread_id), run.card_message_id, cards.progress(run, run.card_lines))
        except (DiscordRefused, DiscordUnavailable) as error:
            self.chronicle.note(run.thread_id, run.execution_id, "card_refused", reason=str(error))


def _nonce(run: RunState) -> str:
    """One per question: a turn asks people once, but may run out of money again and again before it begins."""
    money = run.waiting is Waiting.MONEY
    return f"{run.execution_id}/money/{run.asked_for_money}" if money else f"{run.execution_id}/ask/{run.turn}"
