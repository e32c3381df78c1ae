"""The bot's REST endpoints for channels, messages, reactions, guilds and users."""

from collections.abc import Sequence
from dataclasses import dataclass

from devstack.discord.channels import Channels
from devstack.discord.chat import Chat
from devstack.discord.drafts import read_draft
from devstack.discord.errors import Json, invalid_form, unknown
from devstack.discord.gateway import Gateway
from devstack.discord.limits import RateLimits
from devstack.discord.payloads import Payloads
from devstack.discord.records import Message, Role
from devstack.discord.rest import Answer, Call, Endpoint
from devstack.discord.seed import GUILD_ID
from devstack.discord.snowflakes import is_snowflake
from devstack.discord.world import World

_CHANNEL = "/channels/{channel_id}"
_MESSAGES = f"{_CHANNEL}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"
_REACTION = f"{_MESSAGE}/reactions/{{emoji}}"


@dataclass(frozen=True, slots=True)
class BotEndpoints:
    """What a bot does with its token."""

    world: World
    chat: Chat
    channels: Channels
    payloads: Payloads
    gateway: Gateway
    limits: RateLimits

    def all(self) -> Sequence[Endpoint]:
        """The table of endpoints."""
        rules = self.world.rules
        other = rules.other_requests
        return (
            Endpoint("GET", "/gateway/bot", self.get_gateway, other),
            Endpoint("GET", "/users/@me", self.get_me, other),
            Endpoint("POST", "/users/@me/channels", self.open_direct, other),
            Endpoint("GET", "/guilds/{guild_id}", self.get_guild, other),
            Endpoint("GET", "/guilds/{guild_id}/roles", self.get_roles, other),
            Endpoint("GET", "/guilds/{guild_id}/channels", self.get_channels, other),
            Endpoint("GET", "/guilds/{guild_id}/members/{user_id}", self.get_member, other),
            Endpoint("GET", "/guilds/{guild_id}/threads/active", self.get_active_threads, other),
            Endpoint("GET", _CHANNEL, self.get_channel, other),
            Endpoint("PATCH", _CHANNEL, self.update_channel, other),
            Endpoint("DELETE", _CHANNEL, self.delete_channel, other),
            Endpoint("POST", f"{_CHANNEL}/typing", self.typing, other),
            Endpoint("POST", f"{_CHANNEL}/threads", self.start_thread, other),
            Endpoint("GET", _MESSAGES, self.get_messages, other),
            Endpoint("POST", _MESSAGES, self.send, rules.message_creates),
            Endpoint("GET", _MESSAGE, self.get_message, other),
            Endpoint("PATCH", _MESSAGE, self.edit, rules.message_edits),
            Endpoint("DELETE", _MESSAGE, self.delete, rules.message_deletes),
            Endpoint("POST", f"{_MESSAGE}/threads", self.start_thread_on, other),
            Endpoint("GET", _REACTION, self.get_reactions, other),
            Endpoint("PUT", f"{_REACTION}/@me", self.react, rules.reactions),
            Endpoint("DELETE", f"{_REACTION}/@me", self.unreact, rules.reactions),
            Endpoint("DELETE", f"{_REACTION}/{{user_id}}", self.unreact_other, rules.reactions),
        )

    async def get_gateway(self, _: Call) -> Answer:
        """Where to connect, and how many sessions may still be started."""
        return Answer(self.gateway.description())

    async def get_me(self, call: Call) -> Answer:
        """The bot's user."""
        return Answer(self.payloads.user(call.bot))

    async def open_direct(self, call: Call) -> Answer:
        """The direct-message channel with a user."""
        fields = await call.fields()
        recipient = self.world.access.user(str(fields.get("recipient_id", "")))
        return Answer(self.payloads.channel(self.channels.direct(call.bot, recipient)))

    async def get_guild(self, call: Call) -> Answer:
        """The guild."""
        _check_guild(call["guild_id"])
        return Answer(self.payloads.guild())

    async def get_roles(self, call: Call) -> Answer:
        """The guild's roles."""
        _check_guild(call["guild_id"])
        return Answer([self.payloads.role(role) for role in self.world.store.everything(Role)])

    async def get_channels(self, call: Call) -> Answer:
        """The guild's channels without threads."""
        _check_guild(call["guild_id"])
        visible = self.channels.visible(call.bot)
        return Answer([self.payloads.channel(channel) for channel in visible if not channel.is_thread])

    async def get_member(self, call: Call) -> Answer:
        """A member with roles."""
        _check_guild(call["guild_id"])
        return Answer(self.payloads.member(self.world.access.user(call["user_id"]), with_user=True))

    async def get_active_threads(self, call: Call) -> Answer:
        """The guild's threads that are not archived, newest first."""
        _check_guild(call["guild_id"])
        threads = [c for c in self.channels.visible(call.bot) if c.is_thread and not c.archived]
        newest_first = sorted(threads, key=lambda thread: int(thread.id), reverse=True)
        return Answer({"threads": [self.payloads.channel(thread) for thread in newest_first], "members": []})

    async def get_channel(self, call: Call) -> Answer:
        """A channel or thread."""
        channel = self.world.access.channel(call["channel_id"])
        self.world.access.require(call.bot, channel)
        return Answer(self.payloads.channel(channel))

    async def update_channel(self, call: Call) -> Answer:
        """Rename, archive or lock."""
        fields = await call.fields()
        if "name" in fields:
            self.limits.check_rename(call["channel_id"])
        return Answer(self.payloads.channel(self.channels.update(call.bot, call["channel_id"], fields)))

    async def delete_channel(self, call: Call) -> Answer:
        """Delete a thread."""
        return Answer(self.payloads.channel(self.channels.delete(call.bot, call["channel_id"])))

    async def typing(self, call: Call) -> Answer:
        """Show the typing indicator."""
        self.chat.typing(call.bot, call["channel_id"])
        return Answer(status=204)

    async def start_thread(self, call: Call) -> Answer:
        """Start a thread without a message."""
        thread = self.channels.start_thread(call.bot, call["channel_id"], await call.fields())
        return Answer(self.payloads.channel(thread), 201)

    async def start_thread_on(self, call: Call) -> Answer:
        """Start a thread on a message."""
        fields = await call.fields()
        thread = self.channels.start_thread_on(call.bot, call["channel_id"], call["message_id"], fields)
        return Answer(self.payloads.channel(thread), 201)

    async def get_messages(self, call: Call) -> Answer:
        """A page of messages, newest first."""
        before, after, around = (_id_parameter(call, name) for name in ("before", "after", "around"))
        limit = _limit_parameter(call, default=50)
        channel = call["channel_id"]
        if around is not None:
            newer = self.chat.history(call.bot, channel, limit=max(limit // 2, 1), after=str(int(around) - 1))
            older = self.chat.history(call.bot, channel, limit=limit - len(newer), before=around) if limit > 1 else []
            found = [*newer, *older]
        else:
            found = self.chat.history(call.bot, channel, limit=limit, before=before, after=after)
        return Answer([self._message(message) for message in found])

    async def get_message(self, call: Call) -> Answer:
        """One message."""
        self.world.access.require(call.bot, self.world.access.channel(call["channel_id"]))
        return Answer(self._message(self.chat.message(call["channel_id"], call["message_id"])))

    async def send(self, call: Call) -> Answer:
        """Send a message."""
        body, files = await call.body()
        return Answer(self._message(self.chat.send(call.bot, call["channel_id"], read_draft(body, files))))

    async def edit(self, call: Call) -> Answer:
        """Edit an own message."""
        body, files = await call.body()
        message = self.chat.message(call["channel_id"], call["message_id"])
        self.limits.check_old_edit(message.channel_id, message.created_at)
        draft = read_draft(body, files)
        return Answer(self._message(self.chat.edit(call.bot, call["channel_id"], call["message_id"], draft)))

    async def delete(self, call: Call) -> Answer:
        """Delete a message."""
        self.chat.delete(call.bot, call["channel_id"], call["message_id"])
        return Answer(status=204)

    async def get_reactions(self, call: Call) -> Answer:
        """Who reacted with an emoji, by id."""
        after = _id_parameter(call, "after") or "0"
        users = self.chat.reactors(call.bot, call["channel_id"], call["message_id"], call["emoji"])
        page = [user for user in users if int(user.id) > int(after)][: _limit_parameter(call, default=25)]
        return Answer([self.payloads.user(user) for user in page])

    async def react(self, call: Call) -> Answer:
        """Add the bot's reaction."""
        self.chat.react(call.bot, call["channel_id"], call["message_id"], call["emoji"])
        return Answer(status=204)

    async def unreact(self, call: Call) -> Answer:
        """Take the bot's reaction back."""
        self.chat.unreact(call.bot, call["channel_id"], call["message_id"], call["emoji"])
        return Answer(status=204)

    async def unreact_other(self, call: Call) -> Answer:
        """Take somebody's reaction away."""
        emoji, user = call["emoji"], call["user_id"]
        self.chat.unreact(call.bot, call["channel_id"], call["message_id"], emoji, user_id=user)
        return Answer(status=204)

    def _message(self, message: Message) -> Json:
        return self.payloads.message(message, viewer=self.world.bot_id)


def _check_guild(identifier: str) -> None:
    if identifier != GUILD_ID:
        raise unknown("Guild")


def _limit_parameter(call: Call, *, default: int) -> int:
    text = call.request.query_params.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        raise invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    return int(text)


def _id_parameter(call: Call, name: str) -> str | None:
    value = call.request.query_params.get(name)
    if value is None or value == "0":
        return value
    if not is_snowflake(value):
        raise invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{value:.30}" is not snowflake.')
    return value
