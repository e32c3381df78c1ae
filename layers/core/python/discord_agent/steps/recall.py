"""What was said in a thread, all of it: the newest messages word for word, the older ones as a summary."""

from typing import Final

from msgspec import Struct

from discord_agent.domain import history, recollection
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable, ModelRefused, ModelUnavailable, OverBudget
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId
from discord_agent.domain.inbound import InboundMessage
from discord_agent.domain.recollection import Split
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import RunState
from discord_agent.domain.session import Lease, Session
from discord_agent.ports import Discord, LanguageModel, Models, Prompts, Sessions
from discord_agent.steps.chronicle import Chronicle

_MOST_READ: Final = 1000
"""Messages read at once: ten requests. What is older stays out of the first summary of a thread."""
_GLANCE: Final = 50
_SUMMARY_TOKENS: Final = 1500
_SUMMARY_LIMIT: Final = 6000
_READ_SHARE: Final = 0.5
"""The share of its window that the summarising model reads at once."""
_CHARACTERS_PER_TOKEN: Final = 2
_MOST_AT_ONCE: Final = 120_000
_PATTERNS_ONLY: Final = Redactor()


class Recall(Struct, frozen=True):
    """Tells a thread's history; without Discord, money or model there is less of it, never an error."""

    discord: Discord
    sessions: Sessions
    models: Models
    prompts: Prompts
    chronicle: Chronicle
    redactor: Redactor = _PATTERNS_ONLY

    def whole(
        self,
        thread: ThreadId,
        *,
        without: MessageId,
        purse: LanguageModel,
        execution: ExecutionId | None = None,
        lease: Lease | None = None,
    ) -> tuple[str, ...]:
        """The lines before the request ``without``; what no longer fits is summed up once, and kept for the next time."""
        session = self.sessions.get(thread)
        told = history.told(self._read(session, _MOST_READ, execution), without=without)
        parts = recollection.split(told)
        if not parts.old:
            return recollection.lines(session.summary, parts.shown)
        summary = self._sum_up(session, parts, purse, execution)
        if summary is None:
            return recollection.lines(session.summary, parts.shown, unread=len(parts.old))
        self.sessions.update(thread, lease=lease, summary=summary, summarized_through=parts.through)
        return recollection.lines(summary, parts.shown)

    def before(self, run: RunState, purse: LanguageModel) -> tuple[str, ...]:
        """The lines before a request that is answered in place; in a channel it stands by itself."""
        is_conversation = run.guild_id is None or self.discord.place(run.channel_id).is_thread
        if not is_conversation:
            return ()
        return self.whole(run.thread_id, without=run.message_id, purse=purse, execution=run.execution_id)

    def glance(self, thread: ThreadId, *, without: MessageId, direct: bool = False) -> tuple[str, ...]:
        """The newest lines, without asking a model: after the summary there is, or of the last 30 minutes in a channel.

        ``direct``: it is a direct conversation, which is told like a thread.
        """
        session = self.sessions.get(thread)
        newest = self._read(session, _GLANCE, None)
        is_conversation = direct or session.parent_channel_id is not None
        if not is_conversation:
            return history.lines(newest, without=without)
        parts = recollection.split(history.told(newest, without=without))
        return recollection.lines(session.summary, parts.shown, unread=len(parts.old))

    def _read(self, session: Session, limit: int, execution: ExecutionId | None) -> tuple[InboundMessage, ...]:
        """Nothing is lost with a thread's messages but context, so Discord's refusal is no failure."""
        channel = ChannelId(session.thread_id)
        try:
            return self.discord.history(channel, limit=limit, after=session.summarized_through)
        except (DiscordRefused, DiscordUnavailable) as error:
            self.chronicle.note(session.thread_id, execution, "history_unavailable", reason=str(error))
            return ()

    def _sum_up(
        self, session: Session, parts: Split, purse: LanguageModel, execution: ExecutionId | None
    ) -> str | None:
        model = self.models.for_purpose(Purpose.SUMMARIZE)
        room = round(self.models.context(model) * _READ_SHARE * _CHARACTERS_PER_TOKEN)
        summary = session.summary
        try:
            for lines in recollection.batches(parts.old, min(room, _MOST_AT_ONCE)):
                reply = purse.complete(
                    ModelRequest(
                        Purpose.SUMMARIZE,
                        model,
                        (
                            Message(Role.SYSTEM, self.prompts.render("summarize")),
                            Message(
                                Role.USER, self.prompts.render("summarize_request", summary=summary, history=lines)
                            ),
                        ),
                        max_output_tokens=_SUMMARY_TOKENS,
                    )
                )
                summary = self.redactor.text(reply.message.text).strip()[:_SUMMARY_LIMIT] or summary
        except (ModelUnavailable, ModelRefused, OverBudget) as error:
            reason = f"{type(error).__name__}: {error}"
            self.chronicle.note(session.thread_id, execution, "summary_failed", reason=reason)
            return None
        self.chronicle.note(session.thread_id, execution, "history_summarized", messages=len(parts.old))
        return summary or None
