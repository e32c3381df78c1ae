"""What reaches the bot from Discord, already parsed and bounded."""

from dataclasses import dataclass

from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, RoleId, ThreadId, UserId


@dataclass(frozen=True, slots=True)
class Author:
    """A Discord user as seen on an event; ``permissions`` is Discord's permission bit set, 0 when not sent."""

    id: UserId
    name: str
    is_bot: bool = False
    roles: tuple[RoleId, ...] = ()
    permissions: int = 0


@dataclass(frozen=True, slots=True)
class Attachment:
    """An uploaded file; ``size`` in bytes."""

    id: str
    filename: str
    url: str
    size: int
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message that somebody wrote; ``mentions_bot`` covers mention lists and ``<@id>`` in the text."""

    id: MessageId
    channel_id: ChannelId
    guild_id: GuildId | None
    author: Author
    content: str
    mentions_bot: bool = False
    attachments: tuple[Attachment, ...] = ()
    reply_to: MessageId | None = None


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A message got a new text."""

    id: MessageId
    channel_id: ChannelId
    content: str


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message is gone."""

    id: MessageId
    channel_id: ChannelId


@dataclass(frozen=True, slots=True)
class Reaction:
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


@dataclass(frozen=True, slots=True)
class ButtonPressed:
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


@dataclass(frozen=True, slots=True)
class NamedChannel:
    """A channel or thread that a command names; ``permissions`` are what the person who used it may do there."""

    id: ChannelId
    name: str = ""
    permissions: int = 0
    parent_id: ChannelId | None = None


@dataclass(frozen=True, slots=True)
class CommandInvoked:
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


@dataclass(frozen=True, slots=True)
class ThreadDeleted:
    """A thread (or channel) is gone."""

    thread_id: ThreadId
    guild_id: GuildId | None


type Inbound = (
    InboundMessage | MessageEdited | MessageDeleted | Reaction | ButtonPressed | CommandInvoked | ThreadDeleted
)
