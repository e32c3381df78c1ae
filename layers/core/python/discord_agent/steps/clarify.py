"""Parking a run with a question, at no cost, until somebody answers."""

from dataclasses import dataclass

from discord_agent.domain import cards
from discord_agent.domain.errors import Stopped
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.run import RunState
from discord_agent.ports import Discord, Executions, Leases, Sessions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold


@dataclass(frozen=True, slots=True)
class Clarify:
    """Called with a task token; the machine waits until ``intake`` answers it."""

    leases: Leases
    executions: Executions
    sessions: Sessions
    discord: Discord
    chronicle: Chronicle

    def __call__(self, run: RunState, task_token: str) -> None:
        """Store the token, ask, give the lease back; Stopped if somebody asked the run to stop before it parked."""
        lease = hold(self.leases, run)
        self.executions.park(run.execution_id, task_token, run.question)
        # Looked at once the token is there: whoever stops the run later finds it and answers it.
        if self.executions.stop_requested(run.execution_id):
            raise Stopped(f"{run.execution_id} was stopped before it could ask")
        self.sessions.update(run.thread_id, lease=lease, parked=run.execution_id)
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "clarification",
            turn=run.turn,
            question=run.question,
            options=list(run.options),
        )
        message = self.discord.send(
            ChannelId(run.thread_id), cards.clarification(run), nonce=f"{run.execution_id}/ask/{run.turn}"
        )
        self.executions.update(run.execution_id, question_message_id=message)
        # The answer may be faster than this attempt: the next step's lease is not to be given back here.
        self.leases.release(run.thread_id, run.execution_id, fence=lease.fence)
