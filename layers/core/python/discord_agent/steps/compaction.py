"""Shortening a run's conversation between two turns."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from discord_agent.domain import compaction
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import ModelRefused, ModelUnavailable, OverBudget
from discord_agent.domain.run import RunState
from discord_agent.ports import LanguageModel, Models, Prompts
from discord_agent.steps.chronicle import Chronicle

_SUMMARY_TOKENS: Final = 2000
_SUMMARY_LIMIT: Final = 10_000
_SHOWN_SHARE: Final = 0.5
"""The share of its own window that the summarising model reads."""
_CHARACTERS_PER_TOKEN: Final = 2


class Compaction(Struct, frozen=True):
    """Shortens a conversation when it takes too much of the model's window, and only if that gains enough.

    The caller stores the result as the run's conversation and notes ``compacted_at=run.turn + 1`` in the run.
    """

    models: Models
    prompts: Prompts
    chronicle: Chronicle

    def __call__(
        self,
        run: RunState,
        messages: tuple[Message, ...],
        purse: LanguageModel,
        *,
        force: bool = False,
        stop_requested: Callable[[], bool] | None = None,
    ) -> tuple[Message, ...] | None:
        """The conversation for the turn after ``run.turn``, shortened; None if it stays as it is.

        ``force``: the model refused it as too long. ``purse`` pays for a summary; without money or model the summary is
        a list of what was done. Raises Stopped.
        """
        window = self.models.context(run.model)
        if not compaction.is_due(run, messages, window, force=force):
            return None
        shortened = compaction.without_old_results(messages, window, force=force)
        by_model = False
        # What the model refused is larger than it seems.
        if force or compaction.tokens(shortened) > window * compaction.GOAL:
            summarised = self._summarised(run, messages, shortened, window, purse, stop_requested, force=force)
            shortened, by_model = summarised or (shortened, False)
        if not compaction.is_worth_it(messages, shortened):
            return None
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "compaction",
            turn=run.turn + 1,
            messagesBefore=len(messages),
            messagesAfter=len(shortened),
            tokensBefore=compaction.tokens(messages),
            tokensAfter=compaction.tokens(shortened),
            byModel=by_model,
            forced=force,
        )
        return shortened

    def _summarised(
        self,
        run: RunState,
        messages: tuple[Message, ...],
        shortened: tuple[Message, ...],
        window: int,
        purse: LanguageModel,
        stop_requested: Callable[[], bool] | None,
        *,
        force: bool,
    ) -> tuple[tuple[Message, ...], bool] | None:
        """The conversation with a summary in place of its middle, and whether a model wrote it."""
        parts = compaction.parts(shortened, window, force=force)
        digest = self._rendered(compaction.digest(parts.middle))
        if not parts.middle or not compaction.is_worth_it(messages, parts.with_summary(digest)):
            # Not even a short summary would gain enough: no reason to pay for one.
            return None
        start = len(parts.head)
        summary = self._ask(run, messages[start : start + len(parts.middle)], purse, stop_requested)
        if summary is None:
            return parts.with_summary(digest), False
        return parts.with_summary(self._rendered(summary)), True

    def _ask(
        self,
        run: RunState,
        middle: tuple[Message, ...],
        purse: LanguageModel,
        stop_requested: Callable[[], bool] | None,
    ) -> str | None:
        model = self.models.for_purpose(Purpose.COMPACT)
        limit = round(self.models.context(model) * _SHOWN_SHARE * _CHARACTERS_PER_TOKEN)
        request = ModelRequest(
            Purpose.COMPACT,
            model,
            (
                Message(Role.SYSTEM, self.prompts.render("compact")),
                Message(
                    Role.USER, self.prompts.render("compact_request", transcript=compaction.transcript(middle, limit))
                ),
            ),
            max_output_tokens=_SUMMARY_TOKENS,
        )
        try:
            reply = purse.complete(request, stop_requested=stop_requested)
        except (ModelUnavailable, ModelRefused, OverBudget) as error:
            self._note_failure(run, f"{type(error).__name__}: {error}")
            return None
        summary = reply.message.text.strip()[:_SUMMARY_LIMIT]
        if not summary:
            self._note_failure(run, "the model wrote no summary")
        return summary or None

    def _note_failure(self, run: RunState, reason: str) -> None:
        self.chronicle.note(run.thread_id, run.execution_id, "compaction_without_model", reason=reason)

    def _rendered(self, summary: str) -> str:
        return self.prompts.render("compacted", summary=summary)
