"""What people do on the page: the same acts as in Discord's own client, checked by the same rules."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request

from devstack.discord.app import Parts
from devstack.discord.bodies import read_body
from devstack.discord.drafts import read_draft
from devstack.discord.errors import ApiError, Json, invalid_form
from devstack.discord.permissions import Permission
from devstack.discord.records import Channel, Edit, Interaction, User
from devstack.discord.seed import GUILD_ID
from devstack.playground.view import View

_CHANNEL = "/channels/{channel_id}"
_MESSAGES = f"{_CHANNEL}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"
_REACTION = f"{_MESSAGE}/reactions/{{emoji}}"
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a person."""

    user: User
    request: Request

    def __getitem__(self, name: str) -> str:
        """A value from the path."""
        return str(self.request.path_params[name])


@dataclass(frozen=True, slots=True)
class Act:
    """One method of one path; the handler's None is an answer without content."""

    method: str
    path: str
    handler: Callable[[Visit], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class People:
    """The acts, and the state of the place a person sees on arrival."""

    parts: Parts
    view: View

    def acts(self) -> Sequence[Act]:
        """The table of acts."""
        return (
            Act("GET", _MESSAGES, self.read),
            Act("POST", _MESSAGES, self.send),
            Act("PATCH", _MESSAGE, self.edit),
            Act("DELETE", _MESSAGE, self.delete),
            Act("GET", f"{_MESSAGE}/edits", self.edits),
            Act("PUT", _REACTION, self.react),
            Act("DELETE", _REACTION, self.unreact),
            Act("POST", f"{_MESSAGE}/components", self.press),
            Act("POST", f"{_CHANNEL}/typing", self.typing),
            Act("POST", f"{_CHANNEL}/threads", self.start_thread),
            Act("DELETE", _CHANNEL, self.delete_thread),
            Act("POST", f"{_CHANNEL}/commands", self.command),
            Act("POST", "/directs", self.open_direct),
        )

    def state(self, user: User) -> Json:
        """Who is here, which channels a person sees, and what the person may do in each."""
        world = self.parts.world
        visible = self.parts.channels.visible(user)
        return {
            "me": self.parts.payloads.user(user),
            "users": [self.parts.payloads.user(found) for found in world.store.everything(User)],
            "bot_id": world.bot_id,
            "guild": self.parts.payloads.guild(),
            "channels": [self._channel(user, channel) for channel in visible],
            "directs": self.view.directs(user),
            "commands": self.view.commands(),
            "file_limit": world.rules.file_size,
        }

    async def read(self, visit: Visit) -> list[Json]:
        """A page of messages, newest first."""
        before = visit.request.query_params.get("before")
        if before is not None and not before.isdigit():
            raise invalid_form("before", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
        found = self.parts.chat.history(visit.user, visit["channel_id"], limit=_PAGE, before=before)
        return [self.view.message(message, visit.user) for message in found]

    async def send(self, visit: Visit) -> Json:
        """Send a message, with files or without."""
        body, files = await read_body(visit.request, self.parts.world.rules.request_size)
        message = self.parts.chat.send(visit.user, visit["channel_id"], read_draft(body, files))
        return self.view.message(message, visit.user)

    async def edit(self, visit: Visit) -> Json:
        """Change an own message."""
        body, _ = await read_body(visit.request, self.parts.world.rules.request_size)
        message = self.parts.chat.edit(visit.user, visit["channel_id"], visit["message_id"], read_draft(body))
        return self.view.message(message, visit.user)

    async def delete(self, visit: Visit) -> None:
        """Delete a message."""
        self.parts.chat.delete(visit.user, visit["channel_id"], visit["message_id"])

    async def edits(self, visit: Visit) -> list[Json]:
        """What a message looked like after each edit, oldest first; times in Unix seconds."""
        world = self.parts.world
        world.access.require(visit.user, world.access.channel(visit["channel_id"]))
        message = self.parts.chat.message(visit["channel_id"], visit["message_id"])
        return [asdict(edit) for edit in world.store.children(Edit, message.id)]

    async def react(self, visit: Visit) -> None:
        """Add a reaction."""
        self.parts.chat.react(visit.user, visit["channel_id"], visit["message_id"], visit["emoji"])

    async def unreact(self, visit: Visit) -> None:
        """Take a reaction back."""
        self.parts.chat.unreact(visit.user, visit["channel_id"], visit["message_id"], visit["emoji"])

    async def press(self, visit: Visit) -> Json:
        """Press a button or choose in a select."""
        fields = await self._fields(visit)
        message = self.parts.chat.message(visit["channel_id"], visit["message_id"])
        values = [str(value) for value in fields.get("values", [])]
        press = self.parts.interactions.press
        return _outcome(await press(visit.user, visit["channel_id"], message, str(fields.get("custom_id", "")), values))

    async def command(self, visit: Visit) -> Json:
        """Send a slash command."""
        fields = await self._fields(visit)
        options = fields.get("options", {})
        if not isinstance(options, dict):
            raise invalid_form("options", "BASE_TYPE_BAD_TYPE", "Expected an object.")
        name = str(fields.get("name", ""))
        return _outcome(await self.parts.interactions.command(visit.user, visit["channel_id"], name, options))

    async def typing(self, visit: Visit) -> None:
        """Show that somebody is writing."""
        self.parts.chat.typing(visit.user, visit["channel_id"])

    async def start_thread(self, visit: Visit) -> Json:
        """Start a thread on a message."""
        fields = await self._fields(visit)
        message = str(fields.get("message_id", ""))
        thread = self.parts.channels.start_thread_on(visit.user, visit["channel_id"], message, fields)
        return self.view.channel(thread)

    async def delete_thread(self, visit: Visit) -> None:
        """Delete a thread."""
        self.parts.channels.delete(visit.user, visit["channel_id"])

    async def open_direct(self, visit: Visit) -> Json:
        """Open the direct messages with somebody."""
        fields = await self._fields(visit)
        other = self.parts.world.access.user(str(fields.get("recipient_id", "")))
        return self.view.channel(self.parts.channels.direct(visit.user, other))

    def _channel(self, user: User, channel: Channel) -> Json:
        held = self.parts.world.access.permissions(user, channel)
        return {
            **self.view.channel(channel),
            "may_manage_messages": Permission.MANAGE_MESSAGES in held,
            "may_manage_threads": Permission.MANAGE_THREADS in held,
        }

    async def _fields(self, visit: Visit) -> dict[str, Any]:
        body, _ = await read_body(visit.request, self.parts.world.rules.request_size)
        if not isinstance(body, dict):
            raise ApiError(400, 50035, "Invalid Form Body")
        return body


def _outcome(interaction: Interaction) -> Json:
    """How the application answered, as far as the person is told."""
    return {"id": interaction.id, "failed": interaction.failed, "response": interaction.response, "guild_id": GUILD_ID}
