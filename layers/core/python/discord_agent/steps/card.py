"""The one live card of a run."""

import logging
from collections.abc import Callable
from copy import replace

from discord_agent.domain import cards
from discord_agent.domain.card_lines import newest
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable
from discord_agent.domain.ids import ChannelId, MessageId
from discord_agent.domain.policy import Verbosity
from discord_agent.domain.run import RunState
from discord_agent.ports import Clock, Discord

_LOG = logging.getLogger(__name__)
_PAUSE = 1.5  # seconds between edits: Discord allows about five writes in five seconds per channel


class Card:
    """Collects lines and edits the card at most every 1.5 seconds; what Discord refuses never fails a run."""

    def __init__(
        self, discord: Discord, clock: Clock, run: RunState, redact: Callable[[str], str] = lambda text: text
    ) -> None:
        self._discord = discord
        self._clock = clock
        self._run = run
        self._lines = run.card_lines
        self._edited_at = run.card_edited_at
        # What the step before said last may not be shown yet.
        self._shown: tuple[object, ...] | None = None
        self._redact = redact
        self._writing = ""
        self._next_edit = clock.monotonic() + self._pause_left()

    def keep(self, run: RunState) -> RunState:
        """The run with the newest lines and the time of the last edit, for the next step to go on with."""
        return replace(run, card_lines=self._lines, card_edited_at=self._edited_at)

    def say(self, *lines: str) -> None:
        """Add lines and show them if the last edit is long enough ago."""
        self._lines = newest((*self._lines, *lines), self._run.verbosity)
        self._writing = ""
        self.refresh()

    def detail(self, *lines: str) -> None:
        """Add lines about what a turn does, unless the channel wants a quiet card."""
        if not self._is_quiet:
            self.say(*lines)

    def stream(self, text: str) -> None:
        """Show the end of a text that is still being written, until the next line; nothing of it on a quiet card."""
        if self._is_quiet:
            return
        # The last word may be half of a secret, which nobody would recognise as one.
        self._writing = text[: max(text.rfind(" "), text.rfind("\n")) + 1]
        self.refresh()

    def refresh(self) -> None:
        """Show what is not shown yet, unless it is too soon."""
        if (self._lines, self._writing) != self._shown and self._clock.monotonic() >= self._next_edit:
            self._edit(self._run)

    def close(self, run: RunState) -> None:
        """Show the run's last state, whatever the pause."""
        self._edit(run)

    def _edit(self, run: RunState) -> None:
        if run.card_message_id is None:
            return
        try:
            self._discord.edit(ChannelId(run.thread_id), run.card_message_id, cards.progress(run, self._all_lines()))
        except (DiscordRefused, DiscordUnavailable) as error:
            _LOG.warning("the card of %s was not edited: %s", run.execution_id, error)
        self._shown = (self._lines, self._writing)
        self._edited_at = self._clock.now()
        self._next_edit = self._clock.monotonic() + _PAUSE

    def _all_lines(self) -> tuple[str, ...]:
        if not self._writing.strip():
            return self._lines
        return *self._lines, cards.writing_line(self._redact(self._writing))

    @property
    def _is_quiet(self) -> bool:
        return self._run.verbosity is Verbosity.QUIET

    def _pause_left(self) -> float:
        """Seconds until the next edit may follow the one that another step made."""
        if self._edited_at is None:
            return 0.0
        elapsed = (self._clock.now() - self._edited_at).total_seconds()
        return min(max(0.0, _PAUSE - elapsed), _PAUSE)


def invite_reactions(discord: Discord, channel: ChannelId, message: MessageId, *emoji: str) -> None:
    """Put reactions under a message for people to join; where Discord refuses them the buttons do the same."""
    try:
        for one in emoji:
            discord.react(channel, message, one)
    except DiscordRefused as error:
        _LOG.warning("no reactions under message %s: %s", message, error)
