"""What reaches the bot from Discord, already parsed and bounded."""

from msgspec import Struct

from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, RoleId, ThreadId, UserId


class Author(Struct, frozen=True):
    """A Discord user as seen on an event; ``permissions`` is Discord's permission bit set, 0 when not sent."""

    id: UserId
    name: str
    is_bot: bool = False
    roles: tuple[RoleId, ...] = ()
    permissions: int = 0


class Attachment(Struct, frozen=True):
    """An uploaded file; ``size`` in bytes."""

    id: str
    filename: str
    url: str
    size: int
    content_type: str = ""


class InboundMessage(Struct, frozen=True):
    """A message that somebody wrote; ``mentions_bot`` covers mention lists and ``<@id>`` in the text."""

    id: MessageId
    channel_id: ChannelId
    guild_id: GuildId | None
    author: Author
    content: str
    mentions_bot: bool = False
    attachments: tuple[Attachment, ...] = ()
    reply_to: MessageId | None = None


class MessageEdited(Struct, frozen=True):
    """A message got a new text."""

    id: MessageId
    channel_id: ChannelId
    content: str


class MessageDeleted(Struct, frozen=True):
    """A message is gone."""

    id: MessageId
    channel_id: ChannelId


class Reaction(Struct, frozen=True):
    """Somebody added (or removed) a reaction; ``emoji`` is the Unicode emoji or the custom emoji's name.

    Discord names the author of the message only when a reaction is added.
    """

    emoji: str
    message_id: MessageId
    channel_id: ChannelId
    guild_id: GuildId | None
    author: Author
    added: bool = True
    message_author_id: UserId | None = None


class ButtonPressed(Struct, frozen=True):
    """Somebody pressed a button; ``action`` and ``execution_id`` come from its custom id, unverified."""

    interaction_id: str
    token: str
    application_id: str
    action: str
    execution_id: ExecutionId
    message_id: MessageId
    channel_id: ChannelId
    guild_id: GuildId | None
    author: Author
    argument: str = ""


class NamedChannel(Struct, frozen=True):
    """A channel or thread that a command names; ``permissions`` are what the person who used it may do there."""

    id: ChannelId
    name: str = ""
    permissions: int = 0
    parent_id: ChannelId | None = None


class CommandInvoked(Struct, frozen=True):
    """Somebody used a slash command; ``options`` holds its values by name, ``channels`` those that values name."""

    interaction_id: str
    token: str
    application_id: str
    name: str
    options: tuple[tuple[str, str], ...]
    channel_id: ChannelId
    guild_id: GuildId | None
    author: Author
    channels: tuple[NamedChannel, ...] = ()


class ThreadDeleted(Struct, frozen=True):
    """A thread (or channel) is gone."""

    thread_id: ThreadId
    guild_id: GuildId | None


type Inbound = (
    InboundMessage | MessageEdited | MessageDeleted | Reaction | ButtonPressed | CommandInvoked | ThreadDeleted
)


class Wakeup(Struct, frozen=True):
    """One wake-up: acted on only if it belongs to the author's newest waiting message."""

    thread_id: ThreadId
    author_id: UserId
    message_id: MessageId
