"""The one terminal message of a run, whoever posts it."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from discord_agent.domain import cloud, events, measures
from discord_agent.domain.errors import Conflict
from discord_agent.domain.ids import ChannelId, MessageId
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Outcome, RunState
from discord_agent.ports import Budgets, Discord, Executions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.spending import settle_open

_LOG = logging.getLogger(__name__)

ABORTED: Final = {Outcome.STOPPED: "user_stop", Outcome.OUT_OF_TURNS: "max_turns", Outcome.FAILED: "failed"}
"""What other systems are told of runs that were broken off."""


class Terminal(Struct, frozen=True):
    """Claims the right to end a run, then posts; a retried post has the same nonces and shows nothing twice.

    Raises Conflict while another attempt is about to end the run differently: whoever comes later finds out by a
    retry whether it did.
    """

    discord: Discord
    executions: Executions
    chronicle: Chronicle
    budgets: Budgets

    def settled(self, run: RunState) -> RunState:
        """The run as it is paid for, before its ending is put into words: what steps that died left open is charged."""
        run = settle_open(self.budgets, run)
        self.executions.update(run.execution_id, usage=run.usage, cost=run.cost, cloud=run.cloud, needed=run.needed)
        return run

    def post(
        self,
        run: RunState,
        channel: ChannelId,
        posts: Sequence[Post],
        *,
        shown: Callable[[MessageId], None] | None = None,
    ) -> MessageId:
        """Post the messages in order; returns the last one's id, of an earlier attempt if the run has ended already.

        ``shown`` is told the last one's id at once: people may react to it from then on.
        """
        outcome = run.outcome or Outcome.FAILED
        if not self.executions.end(run.execution_id, outcome):
            return self._posted_before(run)
        sent = [
            self.discord.send(channel, post, nonce=f"{run.execution_id}/end/{index}")
            for index, post in enumerate(posts)
        ]
        message = sent[-1]
        if shown is not None:
            shown(message)
        self._tell(run, outcome, message)
        self.executions.ended(run.execution_id, message)
        return message

    def _tell(self, run: RunState, outcome: Outcome, message: MessageId) -> None:
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            events.EXECUTION_COMPLETED,
            cost=run.cost,
            awsEstimate=str(cloud.cost_of(run.cloud)),
            totalTurns=run.turn,
            finalStatus=outcome,
            success=outcome is Outcome.DONE,
            messageId=message,
        )
        self._measure(run, outcome)
        aborted = ABORTED.get(outcome)
        if aborted is not None:
            self.chronicle.announce(run.thread_id, events.EXECUTION_ABORTED, reason=aborted)
        else:
            self.chronicle.announce(run.thread_id, events.EXECUTION_COMPLETED, totalTurns=run.turn, finalStatus=outcome)

    def _measure(self, run: RunState, outcome: Outcome) -> None:
        self.chronicle.measure(measures.RUNS, of=outcome)
        record = self.executions.get(run.execution_id) if outcome is Outcome.STOPPED else None
        if record is not None and record.stop_requested_at is not None:
            waited = self.chronicle.clock.now() - record.stop_requested_at
            self.chronicle.measure(measures.STOP_LATENCY, waited.total_seconds())

    def _posted_before(self, run: RunState) -> MessageId:
        record = self.executions.get(run.execution_id)
        if record is None or record.terminal_message_id is None:
            raise Conflict(f"another attempt is about to end {run.execution_id}")
        _LOG.info("%s has its terminal message already", run.execution_id)
        return record.terminal_message_id
