"""Discord's raw payloads into domain values: unknown, missing and null fields are tolerated, garbage is not."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, ValidationError, convert, field

from discord_agent.domain.controls import decode
from discord_agent.domain.errors import InvalidEvent, InvalidInput
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, RoleId, ThreadId, UserId
from discord_agent.domain.inbound import (
    Attachment,
    Author,
    ButtonPressed,
    CommandInvoked,
    Inbound,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    NamedChannel,
    Reaction,
    ThreadDeleted,
)
from discord_agent.envelope import INTERACTION_CREATE

_MAX_CONTENT: Final = 4000
_DEEPEST: Final = 64
"""Levels of a payload; Discord's have about ten."""
_MOST_DIGITS: Final = 40
"""Of a set of bits; Discord's have sixteen."""

_WRITTEN_BY_SOMEBODY: Final = frozenset({0, 19})
"""Message types DEFAULT and REPLY; all others are notices that Discord writes itself."""

_COMMAND: Final = 2
_COMPONENT: Final = 3
_SUB_COMMANDS: Final = frozenset({1, 2})

type Snowflake = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]


class BotIdentity(Struct, frozen=True):
    """Who the bot is, for recognising that it is spoken to."""

    id: UserId
    username: str = ""


class _Wire(Struct, frozen=True, kw_only=True):
    """A part of a payload; what is not a field is ignored."""


class _User(_Wire, frozen=True, kw_only=True):
    id: Snowflake
    username: str = ""
    global_name: str = ""
    bot: bool = False


class _Member(_Wire, frozen=True, kw_only=True):
    user: _User | None = None
    roles: tuple[str, ...] = ()
    permissions: Any = 0


class _Attachment(_Wire, frozen=True, kw_only=True):
    id: Snowflake
    filename: str = "file"
    url: str = ""
    size: Annotated[int, Meta(ge=0)] = 0
    content_type: str = ""


class _Reference(_Wire, frozen=True, kw_only=True):
    message_id: Snowflake | None = None


class _Message(_Wire, frozen=True, kw_only=True):
    id: Snowflake
    channel_id: Snowflake
    guild_id: Snowflake | None = None
    type: int = 0
    author: _User | None = None
    member: _Member = _Member()
    content: str | None = None
    mentions: tuple[_User, ...] = ()
    attachments: tuple[_Attachment, ...] = ()
    message_reference: _Reference = _Reference()
    edited_timestamp: str | None = None
    webhook_id: Snowflake | None = None


class _Emoji(_Wire, frozen=True, kw_only=True):
    name: str = ""


class _Reaction(_Wire, frozen=True, kw_only=True):
    user_id: Snowflake
    channel_id: Snowflake
    message_id: Snowflake
    message_author_id: Snowflake | None = None
    guild_id: Snowflake | None = None
    member: _Member = _Member()
    emoji: _Emoji = _Emoji()


class _Gone(_Wire, frozen=True, kw_only=True):
    id: Snowflake
    guild_id: Snowflake | None = None


class _Option(_Wire, frozen=True, kw_only=True):
    name: str
    type: int = 3
    value: str | bool | int | float = ""
    options: tuple["_Option", ...] = ()


class _NamedChannel(_Wire, frozen=True, kw_only=True):
    id: Snowflake
    name: str = ""
    permissions: Any = 0
    parent_id: Snowflake | None = None


class _Resolved(_Wire, frozen=True, kw_only=True):
    channels: dict[str, _NamedChannel] = field(default_factory=dict)


class _InteractionData(_Wire, frozen=True, kw_only=True):
    name: str = ""
    resolved: _Resolved = _Resolved()
    custom_id: str = ""
    target_id: Snowflake | None = None
    options: tuple[_Option, ...] = ()


class _MessageId(_Wire, frozen=True, kw_only=True):
    id: Snowflake


class _Channel(_Wire, frozen=True, kw_only=True):
    id: Snowflake | None = None


class _Interaction(_Wire, frozen=True, kw_only=True):
    id: Snowflake
    application_id: Snowflake
    token: str
    type: int
    data: _InteractionData = _InteractionData()
    guild_id: Snowflake | None = None
    channel_id: Snowflake | None = None
    channel: _Channel = _Channel()
    member: _Member = _Member()
    user: _User | None = None
    message: _MessageId | None = None


def parse(event: str, data: Mapping[str, Any], bot: BotIdentity) -> Inbound | None:
    """What an event means; None for events the bot does not act on. InvalidEvent when the payload is garbage."""
    parser = _PARSERS.get(event)
    if parser is None:
        return None
    try:
        return parser(data, bot)
    except ValidationError as error:
        raise _invalid(event, error) from error


def parse_interaction(data: Mapping[str, Any]) -> ButtonPressed | CommandInvoked | None:
    """What an interaction asks for; None for a ping, autocomplete or a kind that is not used."""
    try:
        interaction = _read(data, _Interaction)
    except ValidationError as error:
        raise _invalid(INTERACTION_CREATE, error) from error
    if interaction.type not in {_COMMAND, _COMPONENT}:
        return None
    channel = interaction.channel_id or interaction.channel.id
    user = interaction.member.user or interaction.user
    if channel is None or user is None:
        raise InvalidEvent("an interaction needs a channel and a user")
    author = _author(user, interaction.member)
    if interaction.type == _COMMAND:
        return _command(interaction, ChannelId(channel), author)
    return _button(interaction, ChannelId(channel), author)


def parse_message(data: Mapping[str, Any], bot: BotIdentity) -> InboundMessage | None:
    """A message as REST or the gateway shows it; None for a notice that nobody wrote."""
    try:
        return _message(_read(data, _Message), bot)
    except ValidationError as error:
        raise _invalid("message", error) from error


def _written(message: _Message, bot: BotIdentity) -> InboundMessage | None:
    # Whoever knows a webhook's address chooses its name, that of the one bot that may speak to ours too.
    return None if message.webhook_id else _message(message, bot)


def _message(message: _Message, bot: BotIdentity) -> InboundMessage | None:
    if message.type not in _WRITTEN_BY_SOMEBODY:
        return None
    if message.author is None:
        raise InvalidEvent("a message needs an author")
    content = (message.content or "")[:_MAX_CONTENT]
    return InboundMessage(
        id=MessageId(message.id),
        channel_id=ChannelId(message.channel_id),
        guild_id=_guild(message.guild_id),
        author=_author(message.author, message.member),
        content=content,
        mentions_bot=_mentions(message, content, bot),
        attachments=tuple(
            Attachment(file.id, file.filename, file.url, file.size, file.content_type)
            for file in message.attachments
            if file.url
        ),
        reply_to=MessageId(message.message_reference.message_id) if message.message_reference.message_id else None,
    )


def _mentions(message: _Message, content: str, bot: BotIdentity) -> bool:
    listed = any(user.id == bot.id for user in message.mentions)
    tagged = bool(bot.id) and re.search(rf"<@!?{re.escape(bot.id)}>", content) is not None
    named = (
        bool(bot.username)
        and re.search(rf"(?<![\w@])@{re.escape(bot.username)}(?!\w)", content, re.IGNORECASE) is not None
    )
    return listed or tagged or named


def _edit(message: _Message) -> MessageEdited | None:
    # Discord sends updates of its own too, for example when it adds a link's preview: those carry no edit time.
    if message.content is None or message.edited_timestamp is None:
        return None
    return MessageEdited(MessageId(message.id), ChannelId(message.channel_id), message.content[:_MAX_CONTENT])


def _deletion(message: _Message) -> MessageDeleted:
    return MessageDeleted(MessageId(message.id), ChannelId(message.channel_id))


def _thread_deletion(gone: _Gone) -> ThreadDeleted:
    return ThreadDeleted(ThreadId(gone.id), _guild(gone.guild_id))


def _reaction(reaction: _Reaction, *, added: bool) -> Reaction | None:
    if not reaction.emoji.name:
        return None
    user = reaction.member.user or _User(id=reaction.user_id)
    return Reaction(
        emoji=reaction.emoji.name,
        message_id=MessageId(reaction.message_id),
        channel_id=ChannelId(reaction.channel_id),
        guild_id=_guild(reaction.guild_id),
        author=_author(user, reaction.member),
        added=added,
        message_author_id=UserId(reaction.message_author_id) if reaction.message_author_id else None,
    )


def _command(interaction: _Interaction, channel: ChannelId, author: Author) -> CommandInvoked:
    names, options = [interaction.data.name], interaction.data.options
    while len(options) == 1 and options[0].type in _SUB_COMMANDS:
        names.append(options[0].name)
        options = options[0].options
    values = tuple((option.name, _text(option.value)) for option in options)
    target = (("target_id", interaction.data.target_id),) if interaction.data.target_id else ()
    return CommandInvoked(
        interaction_id=interaction.id,
        token=interaction.token,
        application_id=interaction.application_id,
        name=" ".join(names),
        options=(*values, *target),
        channel_id=channel,
        guild_id=_guild(interaction.guild_id),
        author=author,
        channels=tuple(map(_named, interaction.data.resolved.channels.values())),
    )


def _named(channel: _NamedChannel) -> NamedChannel:
    parent = ChannelId(channel.parent_id) if channel.parent_id else None
    return NamedChannel(ChannelId(channel.id), channel.name, _bit_set(channel.permissions), parent)


def _button(interaction: _Interaction, channel: ChannelId, author: Author) -> ButtonPressed:
    if interaction.message is None:
        raise InvalidEvent("a component needs its message")
    action, execution_id, argument = _control(interaction.data.custom_id)
    return ButtonPressed(
        interaction_id=interaction.id,
        token=interaction.token,
        application_id=interaction.application_id,
        action=action,
        execution_id=execution_id,
        message_id=MessageId(interaction.message.id),
        channel_id=channel,
        guild_id=_guild(interaction.guild_id),
        author=author,
        argument=argument,
    )


def _control(custom_id: str) -> tuple[str, ExecutionId, str]:
    """Action, execution and argument; an empty action for a button that is not (or no longer) ours."""
    try:
        control = decode(custom_id)
    except InvalidInput:
        return "", ExecutionId(""), ""
    return control.action.value, control.execution_id, control.argument


def _author(user: _User, member: _Member) -> Author:
    return Author(
        id=UserId(user.id),
        # A bot is told apart by its user name (OTHER_BOT_USERNAME); a person is shown by the name they chose.
        name=user.username if user.bot else user.global_name or user.username,
        is_bot=user.bot,
        roles=tuple(RoleId(role) for role in member.roles),
        permissions=_bit_set(member.permissions),
    )


def _guild(value: str | None) -> GuildId | None:
    return GuildId(value) if value else None


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read[Part: _Wire](data: Mapping[str, Any], part: type[Part]) -> Part:
    """The payload as a part; null counts as missing. What was sent stays out of errors: it holds interaction tokens."""
    try:
        return convert(_without_nulls(data, _DEEPEST), part)
    except UnicodeEncodeError as error:
        raise InvalidEvent("a text holds half a character") from error


def _without_nulls(value: Any, levels: int) -> Any:
    if not levels:
        raise InvalidEvent(f"nested deeper than {_DEEPEST} levels")
    match value:
        case Mapping():
            return {key: _without_nulls(item, levels - 1) for key, item in value.items() if item is not None}
        case list():
            return [_without_nulls(item, levels - 1) for item in value]
    return value


def _bit_set(value: Any) -> int:
    """A set of bits, which Discord writes as a decimal text."""
    is_text = isinstance(value, str) and len(value) <= _MOST_DIGITS and value.isdecimal()
    return int(value) if is_text or isinstance(value, int) else 0


def _invalid(event: str, error: ValidationError) -> InvalidEvent:
    return InvalidEvent(f"{event:.40}: {error!s:.500}")


_PARSERS: Final[dict[str, Callable[[Mapping[str, Any], BotIdentity], Inbound | None]]] = {
    "MESSAGE_CREATE": lambda data, bot: _written(_read(data, _Message), bot),
    "MESSAGE_UPDATE": lambda data, _: _edit(_read(data, _Message)),
    "MESSAGE_DELETE": lambda data, _: _deletion(_read(data, _Message)),
    "MESSAGE_REACTION_ADD": lambda data, _: _reaction(_read(data, _Reaction), added=True),
    "MESSAGE_REACTION_REMOVE": lambda data, _: _reaction(_read(data, _Reaction), added=False),
    "THREAD_DELETE": lambda data, _: _thread_deletion(_read(data, _Gone)),
    "CHANNEL_DELETE": lambda data, _: _thread_deletion(_read(data, _Gone)),
    INTERACTION_CREATE: lambda data, _: parse_interaction(data),
}
