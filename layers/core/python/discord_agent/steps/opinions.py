"""What people think of the bot's work: votes, and why they rejected a commit; evidence for the thread's next run."""

from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain import cards
from discord_agent.domain.actions import Vote
from discord_agent.domain.feedback import DISAPPROVE
from discord_agent.domain.ids import ChannelId, ThreadId, UserId
from discord_agent.domain.inbound import InboundMessage, Reaction
from discord_agent.domain.session import ExecutionRecord, Objection
from discord_agent.ports import Clock, Discord, Sessions
from discord_agent.steps.chronicle import Chronicle

_REASON_LIMIT: Final = 1000


class Opinions(Struct, frozen=True):
    """Each is counted once, however often its event is delivered."""

    sessions: Sessions
    discord: Discord
    chronicle: Chronicle
    clock: Clock

    def vote(self, reaction: Reaction, vote: Vote) -> None:
        """Move the thread's confidence; a thumb down about an ended run is kept for the next one to reflect on."""
        thread, person = ThreadId(reaction.channel_id), reaction.author.id
        confidence = self.sessions.vote(thread, reaction.message_id, person, vote.value)
        if vote.value == DISAPPROVE and vote.about is not None:
            self.sessions.update(thread, dislike=Objection(vote.about, person, self.clock.now()))
        elif vote.value == 0:
            self._withdraw(thread, person)
        self.chronicle.note(
            thread,
            vote.about,
            "vote",
            actor=person,
            messageId=reaction.message_id,
            value=vote.value,
            confidence=confidence,
        )

    def rejected(self, record: ExecutionRecord, by: UserId) -> None:
        """Remember that a commit was rejected, and ask why."""
        thread = record.thread_id
        earlier = self.sessions.get(thread).rejection
        if earlier is None or earlier.execution_id != record.execution_id:
            self.sessions.update(thread, rejection=Objection(record.execution_id, by, self.clock.now()))
        self.discord.send(ChannelId(thread), cards.why_rejected(by), nonce=f"{record.execution_id}/rejected")

    def reason(self, message: InboundMessage, text: str) -> None:
        """Keep what was wrong with a rejected commit, in the words of the person who rejected it."""
        thread = ThreadId(message.channel_id)
        rejection = self.sessions.get(thread).rejection
        if rejection is None or rejection.reason:
            return
        self.sessions.update(thread, rejection=replace(rejection, reason=text[:_REASON_LIMIT]))
        self.chronicle.note(thread, rejection.execution_id, "rejection_reason", actor=message.author.id)

    def _withdraw(self, thread: ThreadId, person: UserId) -> None:
        dislike = self.sessions.get(thread).dislike
        if dislike is not None and dislike.by == person:
            self.sessions.update(thread, dislike=None)
