"""How the bot behaves in a channel, or everywhere in a guild."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from discord_agent.domain import settings_card
from discord_agent.domain import settings_changes as changes
from discord_agent.domain.commands import EVERYWHERE
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ChannelId, RoleId, UserId, snowflake
from discord_agent.domain.policy import (
    DIRECT_MESSAGES,
    Action,
    GuildSettings,
    People,
    Permit,
    Place,
    Reading,
    ToolCredential,
    Verbosity,
)
from discord_agent.domain.posts import Post
from discord_agent.ports import Discord, Sessions
from discord_agent.steps.commands.asked import Asked

type _Change = Callable[[tuple[Permit, ...], Action, People], tuple[Permit, ...]]


class Settings(Struct, frozen=True):
    """Shows settings and changes them one at a time; each answer is the settings as they hold then."""

    discord: Discord
    sessions: Sessions

    def show(self, asked: Asked) -> Post:
        """``/settings show``."""
        return _shown(self.sessions.settings(asked.event.guild_id), self._place(asked))

    def reading(self, asked: Asked) -> Post:
        """``/settings reading``."""
        return self._set(asked, reading=Reading(asked.invocation.text("what")))

    def verbosity(self, asked: Asked) -> Post:
        """``/settings verbosity``."""
        return self._set(asked, verbosity=Verbosity(asked.invocation.text("level")))

    def repository(self, asked: Asked) -> Post:
        """``/settings repository``."""
        return self._set(asked, repository=changes.repository(asked.invocation.text("url")))

    def pause(self, asked: Asked) -> Post:
        """``/settings pause``."""
        return self._set(asked, debounce_seconds=float(asked.invocation.number("seconds", 0)))

    def servers(self, asked: Asked) -> Post:
        """``/settings servers``."""
        names = (name.strip() for name in asked.invocation.text("names").split(","))
        return self._set(asked, mcp_servers=tuple(dict.fromkeys(name for name in names if name)))

    def credential(self, asked: Asked) -> Post:
        """``/settings credential``: for a channel, never for the whole guild."""
        given = asked.invocation
        lent = ToolCredential(given.text("program"), given.text("secret"), given.text("variable"), given.flag("file"))
        settings, place = self.sessions.settings(asked.event.guild_id), self._place(asked)
        before = changes.own_settings(settings, place.parent_id or place.channel_id).credentials
        return self._set(asked, settings, credentials=changes.lent(before, lent))

    def permit(self, asked: Asked) -> Post:
        """``/settings permit``."""
        return self._permits(asked, changes.permitted)

    def revoke(self, asked: Asked) -> Post:
        """``/settings revoke``."""
        return self._permits(asked, changes.revoked)

    def _permits(self, asked: Asked, change: _Change) -> Post:
        people = _people(asked)
        settings, channel = self.sessions.settings(asked.event.guild_id), self._channel(asked)
        before = settings.permits if channel is None else changes.own_settings(settings, channel).permits
        permits = change(before, Action(asked.invocation.text("action")), people)
        return self._set(asked, settings, permits=permits)

    def _set(self, asked: Asked, before: GuildSettings | None = None, **fields: Any) -> Post:
        """Change settings; what was worked out from ``before`` holds only if they still are like that."""
        settings = before or self.sessions.settings(asked.event.guild_id)
        changed = changes.changed(settings, self._channel(asked), **fields)
        self.sessions.put_settings(asked.event.guild_id or DIRECT_MESSAGES, changed, instead_of=settings)
        return _shown(changed, self._place(asked))

    def _channel(self, asked: Asked) -> ChannelId | None:
        """The channel whose settings are meant: a thread follows its channel. None: the whole guild."""
        if asked.invocation.text("where") == EVERYWHERE:
            return None
        place = self._place(asked)
        return place.parent_id or place.channel_id

    def _place(self, asked: Asked) -> Place:
        """Asked of Discord: only there is certain which channel a thread belongs to."""
        return self.discord.place(asked.event.channel_id)


def _people(asked: Asked) -> People:
    user, role = asked.invocation.text("user"), asked.invocation.text("role")
    if not (user or role):
        raise InvalidInput("Say who: a `user`, a `role`, or both.")
    return People(
        roles=(RoleId(snowflake(role)),) if role else (),
        users=(UserId(snowflake(user)),) if user else (),
    )


def _shown(settings: GuildSettings, place: Place) -> Post:
    return settings_card.settings(settings.within(place), place)
