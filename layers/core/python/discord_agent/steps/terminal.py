"""The one terminal message of a run, whoever posts it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from discord_agent.domain import events
from discord_agent.domain.ids import ChannelId, MessageId
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Outcome, RunState
from discord_agent.ports import Discord, Executions
from discord_agent.steps.chronicle import Chronicle

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Claims the right to end a run, then posts; a retried post has the same nonces and shows nothing twice."""

    discord: Discord
    executions: Executions
    chronicle: Chronicle

    def post(self, run: RunState, channel: ChannelId, posts: Sequence[Post]) -> MessageId | None:
        """Post the messages in order and return the last one's id; None if the run has ended already."""
        outcome = run.outcome or Outcome.FAILED
        failed = outcome is Outcome.FAILED
        if not self.executions.end(run.execution_id, outcome, failed=failed):
            _LOG.info("%s has its terminal message already", run.execution_id)
            return None
        message = None
        for index, post in enumerate(posts):
            message = self.discord.send(channel, post, nonce=f"{run.execution_id}/end/{index}")
        if message is None:
            raise ValueError("a terminal message needs at least one post")
        self.executions.ended(run.execution_id, message)
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            events.EXECUTION_COMPLETED,
            cost=run.cost,
            totalTurns=run.turn,
            finalStatus=outcome,
            success=outcome is Outcome.DONE,
            messageId=message,
        )
        if outcome is Outcome.STOPPED or failed:
            self.chronicle.announce(run.thread_id, events.EXECUTION_ABORTED, reason=outcome)
        else:
            self.chronicle.announce(run.thread_id, events.EXECUTION_COMPLETED, totalTurns=run.turn, finalStatus=outcome)
        return message
