"""What is remembered about threads and guilds."""

from collections.abc import Iterable
from typing import Any, Protocol

from discord_agent.domain.ids import (
    GuildId,
    MessageId,
    ThreadId,
    UserId,
)
from discord_agent.domain.policy import GuildSettings
from discord_agent.domain.session import (
    InboxItem,
    ItemKind,
    Lease,
    Session,
)


class Sessions(Protocol):
    """Threads' memory, inbox, votes and guilds' settings."""

    def get(self, thread: ThreadId) -> Session:
        """The session, or a new one with defaults (not stored)."""

    def update(self, thread: ThreadId, *, lease: Lease | None = None, **fields: Any) -> None:
        """Set fields of Session by name; with ``lease``, LeaseLost unless it is still the newest."""

    def vote(self, thread: ThreadId, message: MessageId, user: UserId, value: int) -> int:
        """Store one vote per message and user (0 removes it); returns the session's new confidence."""

    def put(self, item: InboxItem) -> bool:
        """Queue a message once; False if it was there, or a tombstone says it was deleted."""

    def waiting(self, thread: ThreadId, kind: ItemKind) -> tuple[InboxItem, ...]:
        """The queued messages, oldest first."""

    def remove(self, items: Iterable[InboxItem]) -> None:
        """Take messages out of the queue once they are safe elsewhere."""

    def edit(self, thread: ThreadId, message: MessageId, content: str) -> bool:
        """Change a queued message; False if it is not queued (a tombstone of the edit is kept)."""

    def drop(self, thread: ThreadId, message: MessageId) -> bool:
        """Delete a queued message, leaving a tombstone; False if it was not queued."""

    def settings(self, guild: GuildId | None) -> GuildSettings:
        """A guild's settings, or the defaults."""

    def put_settings(self, guild: GuildId, settings: GuildSettings, *, instead_of: GuildSettings | None = None) -> None:
        """Store a guild's settings; Conflict if those are no longer ``instead_of`` (None: whatever they are)."""

    def delete(self, thread: ThreadId) -> None:
        """Forget a thread."""
