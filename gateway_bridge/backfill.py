"""After a lost session: the messages that came meanwhile, read over REST.

Covered: new messages in the channels and threads the bridge remembers (those with the newest messages).
Not covered: edits, deletions and reactions of that time, and channels in which nothing was seen before.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from discord_agent.adapters.discord.client import Call
from discord_agent.domain.errors import DiscordRefused
from gateway_bridge.state import LastSeen

_LOG = logging.getLogger(__name__)
_PAGE: Final = 100
_PAGES: Final = 10


class Rest(Protocol):
    """What a backfill needs of Discord's REST API. Errors: DiscordUnavailable, DiscordRefused."""

    def request(self, call: Call) -> Any:
        """Make a call; its JSON answer."""


@dataclass(slots=True)
class Backfill:
    """Reads what was missed, as the payloads that the gateway would have dispatched."""

    rest: Rest
    _members: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)

    def missed(self, channel_id: str, seen: LastSeen) -> list[dict[str, Any]]:
        """The messages after the last seen one, oldest first. DiscordRefused when the channel is gone."""
        found: dict[str, dict[str, Any]] = {}
        after = seen.message_id
        for _ in range(_PAGES):
            page = list(self._page(channel_id, after))
            found |= {message["id"]: message for message in page}
            if len(page) < _PAGE:
                break
            after = max((message["id"] for message in page), key=int)
        else:
            _LOG.error("more was missed than is read back", extra={"channel": channel_id, "read": len(found)})
        return [self._as_dispatched(found[key], seen.guild_id) for key in sorted(found, key=int)]

    def _page(self, channel_id: str, after: str) -> Iterator[dict[str, Any]]:
        answer = self.rest.request(
            Call("GET", "/channels/{}/messages", (channel_id,), query={"after": after, "limit": _PAGE})
        )
        for message in answer if isinstance(answer, list) else ():
            if isinstance(message, dict) and str(message.get("id", "")).isdecimal():
                yield message

    def _as_dispatched(self, message: dict[str, Any], guild_id: str | None) -> dict[str, Any]:
        """REST leaves out the guild and the author's roles, which the gateway tells."""
        if guild_id is None:
            return message
        author = message.get("author")
        user_id = author.get("id") if isinstance(author, dict) else None
        member = self._member(guild_id, user_id) if isinstance(user_id, str) else None
        return message | {"guild_id": guild_id} | ({"member": member} if member else {})

    def _member(self, guild_id: str, user_id: str) -> dict[str, Any] | None:
        key = guild_id, user_id
        if key not in self._members:
            try:
                answer = self.rest.request(Call("GET", "/guilds/{}/members/{}", key))
            except DiscordRefused:
                # Left the guild, or a webhook: without roles the policy treats them as anybody.
                answer = None
            self._members[key] = answer if isinstance(answer, dict) else None
        return self._members[key]
