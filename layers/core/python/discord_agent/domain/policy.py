"""Who may do what where, as one pure policy over a guild's and a channel's settings.

Permits only widen; blocks, closed channels and a shorter ``everyone`` only narrow. What no clause allows is refused.

Discord sends a member's permission bits with interactions (buttons, slash commands) but not with gateway
messages and reactions. There ``Author.permissions`` is 0, so a moderator who reacts counts as anybody else.
"""

from copy import replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain.ids import ChannelId, GuildId, RoleId, UserId
from discord_agent.domain.inbound import Author
from discord_agent.domain.money import Usd

ADMINISTRATOR: Final = 1 << 3
MANAGE_GUILD: Final = 1 << 5
MANAGE_MESSAGES: Final = 1 << 13
MANAGE_THREADS: Final = 1 << 34
MODERATE_MEMBERS: Final = 1 << 40

RUN_LIMIT: Final = Usd(Decimal(5))
"""What a run may cost where the settings say nothing."""

_ADMINISTRATORS: Final = ADMINISTRATOR
_MANAGERS: Final = ADMINISTRATOR | MANAGE_GUILD
_MODERATORS: Final = _MANAGERS | MANAGE_MESSAGES | MANAGE_THREADS | MODERATE_MEMBERS

DIRECT_MESSAGES: Final = GuildId("direct")
"""Under this id lie the settings of direct messages, where nobody may do anything who is not listed."""


class Action(StrEnum):
    """What somebody wants to do."""

    SEE = "see"
    RUN = "run"
    STEER = "steer"
    """Add to a running request, or answer its question."""
    STOP = "stop"
    APPROVE = "approve"
    """Merge or reject a commit."""
    BREAKGLASS = "breakglass"
    SPEND = "spend"
    """Extend a budget."""
    CONFIGURE = "configure"


class Reading(StrEnum):
    """Which messages the bot considers at all."""

    MENTIONS = "mentions"
    """Those that address it."""
    CONVERSATIONS = "conversations"
    """Those that address it, and all in threads where it already takes part."""
    GENERAL = "general"
    """All in threads and in channels named ``general``; nothing elsewhere, not even mentions."""
    EVERYTHING = "everything"
    """All."""


class Verbosity(StrEnum):
    """How much of a run its card shows."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


class People(Struct, frozen=True):
    """Members by role or by id."""

    roles: tuple[RoleId, ...] = ()
    users: tuple[UserId, ...] = ()

    def include(self, actor: Author) -> bool:
        """Whether ``actor`` is one of them."""
        return actor.id in self.users or any(role in self.roles for role in actor.roles)


class Permit(Struct, frozen=True):
    """Lets people do something beyond the defaults."""

    action: Action
    people: People


class Limits(Struct, frozen=True):
    """Money limits; None: no limit of that kind. ``run`` counts all tries of a request together."""

    run: Usd | None = RUN_LIMIT
    user_day: Usd | None = None
    user_month: Usd | None = None
    guild_day: Usd | None = None
    guild_month: Usd | None = None


class ToolCredential(Struct, frozen=True):
    """Gives commands of one program a secret of the deployment, by its name, in a variable or in a file it names."""

    program: str
    secret: str
    variable: str
    as_file: bool = False


class ChannelSettings(Struct, frozen=True):
    """What one channel and its threads do differently; None: as in the guild. Permits add to the guild's.

    ``credentials`` are for tools used in this channel; there are none unless they are listed here.
    """

    channel_id: ChannelId
    reading: Reading | None = None
    repository: str | None = None
    verbosity: Verbosity | None = None
    debounce_seconds: float | None = None
    everyone: tuple[Action, ...] | None = None
    permits: tuple[Permit, ...] = ()
    mcp_servers: tuple[str, ...] | None = None
    credentials: tuple[ToolCredential, ...] = ()


class Place(Struct, frozen=True):
    """Where something happens; ``joined`` when the bot already takes part in this thread.

    ``parent_id`` is the channel a thread belongs to, ``name`` the channel's name, "" when not known.
    """

    channel_id: ChannelId
    guild_id: GuildId | None = None
    parent_id: ChannelId | None = None
    is_thread: bool = False
    name: str = ""
    joined: bool = False


class GuildSettings(Struct, frozen=True):
    """A guild's settings.

    ``channels_allowed`` empty: all; ``everyone`` lists what any member may do; ``repository`` is a git URL, ""
    for none; ``debounce_seconds`` None: the deployment's; ``secondary_bots`` may ask and steer as members do.
    """

    reading: Reading = Reading.CONVERSATIONS
    channels_allowed: tuple[ChannelId, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    everyone: tuple[Action, ...] = (Action.SEE, Action.RUN, Action.STEER)
    permits: tuple[Permit, ...] = ()
    blocked: People = People()
    secondary_bots: tuple[UserId, ...] = ()
    repository: str = ""
    verbosity: Verbosity = Verbosity.NORMAL
    debounce_seconds: float | None = None
    limits: Limits = Limits()
    mcp_servers: tuple[str, ...] = ()

    def within(self, place: Place) -> "GuildSettings":
        """These settings as they apply at a place: its own, else its parent channel's, else the guild's."""
        channel = self._channel(place)
        if channel is None:
            return self
        return replace(
            self,
            reading=_first(channel.reading, self.reading),
            repository=_first(channel.repository, self.repository),
            verbosity=_first(channel.verbosity, self.verbosity),
            debounce_seconds=_first(channel.debounce_seconds, self.debounce_seconds),
            everyone=_first(channel.everyone, self.everyone),
            permits=self.permits + channel.permits,
            mcp_servers=_first(channel.mcp_servers, self.mcp_servers),
        )

    def credentials(self, place: Place) -> tuple[ToolCredential, ...]:
        """The credentials for tools used at a place."""
        channel = self._channel(place)
        return channel.credentials if channel else ()

    def _channel(self, place: Place) -> ChannelSettings | None:
        by_id = {channel.channel_id: channel for channel in self.channels}
        return by_id.get(place.channel_id) or (by_id.get(place.parent_id) if place.parent_id else None)

    def allows(self, place: Place) -> bool:
        """Whether the bot is at home in a channel (or the channel of a thread)."""
        return (
            not self.channels_allowed
            or place.channel_id in self.channels_allowed
            or place.parent_id in self.channels_allowed
        )


def _first[T](own: T | None, general: T) -> T:
    return general if own is None else own


class Allowed(Struct, frozen=True):
    """Yes; ``clause`` names why, for the audit trail."""

    clause: str


class Denied(Struct, frozen=True):
    """No; ``sentence`` is shown to the person."""

    sentence: str


_REQUESTERS: Final = frozenset({Action.SEE, Action.STEER, Action.STOP, Action.APPROVE})
"""What people may do about their own request."""

_PERMISSIONS: Final = {
    Action.SEE: _MODERATORS,
    Action.RUN: _ADMINISTRATORS,
    Action.STEER: _MODERATORS,
    Action.STOP: _MODERATORS,
    Action.APPROVE: _MANAGERS,
    Action.BREAKGLASS: _ADMINISTRATORS,
    Action.SPEND: _ADMINISTRATORS,
    Action.CONFIGURE: _ADMINISTRATORS,
}

_BOT_ACTIONS: Final = frozenset({Action.SEE, Action.RUN, Action.STEER})

_REFUSALS: Final = {
    Action.SEE: "You may not see what happens here.",
    Action.RUN: "You may not start runs here; ask an administrator of this server for a permit.",
    Action.STEER: "Only the person who asked, moderators and those with a permit may steer this run.",
    Action.STOP: "Only the person who asked, moderators and those with a permit may stop this run.",
    Action.APPROVE: "Only the person who asked, server managers and those with a permit may decide about this commit.",
    Action.BREAKGLASS: "Only administrators and those with a permit may use breakglass.",
    Action.SPEND: "Only administrators and those with a permit may extend a budget.",
    Action.CONFIGURE: "Only administrators and those with a permit may change settings.",
}
_UNSEEN: Final = {
    Action.STOP: "Moderators: use the button or /stop, because messages and reactions do not show me who is one.",
    Action.APPROVE: "Managers: use the button, because reactions do not show me who is one.",
    Action.BREAKGLASS: "Administrators: use /flow breakglass first, because messages do not show me who is one.",
}
"""What somebody with a permission of Discord's does where Discord did not send it."""


def decide(
    action: Action,
    actor: Author,
    settings: GuildSettings,
    place: Place,
    *,
    requester: UserId | None = None,
    secondary_bot: str = "",
) -> Allowed | Denied:
    """Whether ``actor`` may do ``action`` at ``place``; ``requester`` asked for the run it is about.

    ``secondary_bot`` is the user name of the one other bot the deployment listens to.
    """
    rules = settings.within(place)
    in_guild = place.guild_id is not None
    known_bot = actor.id in rules.secondary_bots or (bool(secondary_bot) and actor.name == secondary_bot)
    refusals = (
        (rules.blocked.include(actor), "You are blocked from using this bot here."),
        (actor.is_bot and not (known_bot and action in _BOT_ACTIONS), "Other bots may not do this."),
        (not rules.allows(place) and action is not Action.CONFIGURE, "This bot is not enabled in this channel."),
    )
    for applies, sentence in refusals:
        if applies:
            return Denied(sentence)
    clauses = (
        ("everyone", in_guild and action in rules.everyone),
        ("requester", action in _REQUESTERS and requester is not None and requester == actor.id),
        ("permit", any(permit.action is action and permit.people.include(actor) for permit in rules.permits)),
        ("permission", in_guild and bool(actor.permissions & _PERMISSIONS[action])),
    )
    for clause, applies in clauses:
        if applies:
            return Allowed(clause)
    if not in_guild:
        return Denied("This bot does not take direct messages from you.")
    way = "" if actor.permissions or actor.is_bot else _UNSEEN.get(action, "")
    return Denied(f"{_REFUSALS[action]} {way}".rstrip())


def hears(settings: GuildSettings, place: Place, *, addressed: bool) -> bool:
    """Whether a message is considered at all; ``addressed`` by a mention, a command or a known bot."""
    rules = settings.within(place)
    if not rules.allows(place):
        return False
    if place.guild_id is None:
        return True
    match rules.reading:
        case Reading.MENTIONS:
            return addressed
        case Reading.CONVERSATIONS:
            return addressed or place.joined
        case Reading.GENERAL:
            return place.is_thread or place.name.casefold() == "general"
        case Reading.EVERYTHING:
            return True
