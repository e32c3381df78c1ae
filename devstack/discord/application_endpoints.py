"""The REST endpoints of applications: settings, commands, answers to interactions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from devstack.discord.drafts import read_draft
from devstack.discord.errors import FormFaults, Json, invalid_form, unknown
from devstack.discord.interactions import Interactions
from devstack.discord.payloads import MESSAGE_CONTENT_FLAG, Payloads
from devstack.discord.records import Command, Message
from devstack.discord.responses import Responses
from devstack.discord.rest import Answer, Call, Endpoint
from devstack.discord.seed import GUILD_ID
from devstack.discord.world import World

_WEBHOOK = "/webhooks/{application_id}/{token}"
_WEBHOOK_MESSAGE = f"{_WEBHOOK}/messages/{{message_id}}"
_GLOBAL_COMMANDS = "/applications/{application_id}/commands"
_GUILD_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"
_COMMANDS_LIMIT = 100
_COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
_CHAT_INPUT = 1


@dataclass(frozen=True, slots=True)
class ApplicationEndpoints:
    """What an application does with its token, or with an interaction's."""

    world: World
    payloads: Payloads
    interactions: Interactions
    responses: Responses

    def all(self) -> Sequence[Endpoint]:
        """The table of endpoints; an interaction's token is a right of its own and counts in no global limit."""
        rules = self.world.rules
        other = rules.other_requests
        callback = "/interactions/{interaction_id}/{token}/callback"
        return (
            Endpoint("GET", "/applications/@me", self.get_application, other),
            Endpoint("PATCH", "/applications/@me", self.update_application, other),
            Endpoint("GET", _GLOBAL_COMMANDS, self.get_commands, other),
            Endpoint("PUT", _GLOBAL_COMMANDS, self.put_commands, other),
            Endpoint("GET", _GUILD_COMMANDS, self.get_commands, other),
            Endpoint("PUT", _GUILD_COMMANDS, self.put_commands, other),
            Endpoint("POST", callback, self.answer, other, needs_token=False),
            Endpoint("POST", _WEBHOOK, self.follow_up, rules.message_creates, needs_token=False),
            Endpoint("GET", _WEBHOOK_MESSAGE, self.get_message, other, needs_token=False),
            Endpoint("PATCH", _WEBHOOK_MESSAGE, self.edit_message, rules.message_edits, needs_token=False),
            Endpoint("DELETE", _WEBHOOK_MESSAGE, self.delete_message, rules.message_deletes, needs_token=False),
        )

    async def get_application(self, _: Call) -> Answer:
        """The application's settings."""
        return Answer(self._application())

    async def update_application(self, call: Call) -> Answer:
        """Change the interactions endpoint."""
        fields = await call.fields()
        if "interactions_endpoint_url" in fields:
            url = fields["interactions_endpoint_url"]
            if url is not None and not (isinstance(url, str) and url.startswith(("http://", "https://"))):
                raise invalid_form("interactions_endpoint_url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
            await self.interactions.set_endpoint(url)
        return Answer(self._application())

    async def get_commands(self, call: Call) -> Answer:
        """The commands of a guild, or the global ones."""
        return Answer([self.payloads.command(command) for command in self._commands(self._scope(call))])

    async def put_commands(self, call: Call) -> Answer:
        """Replace all commands of a guild, or all global ones; those with a known name keep their id."""
        scope = self._scope(call)
        body, _ = await call.body()
        _check_commands(body)
        known = {(c.body["name"], c.body.get("type", _CHAT_INPUT)): c for c in self._commands(scope)}
        with self.world.store.transaction():
            for command in known.values():
                self.world.store.delete(Command, command.id)
            for fields in body:
                old = known.get((fields["name"], fields.get("type", _CHAT_INPUT)))
                fresh = self.world.ids.next()
                self.world.store.put(Command(old.id if old else fresh, scope, fresh, fields))
        return Answer([self.payloads.command(command) for command in self._commands(scope)])

    async def answer(self, call: Call) -> Answer:
        """The first answer to an interaction."""
        body, _ = await call.body()
        self.interactions.answer(call["interaction_id"], call["token"], body)
        return Answer(status=204)

    async def follow_up(self, call: Call) -> Answer:
        """One more message."""
        interaction = self.responses.find(call["application_id"], call["token"])
        body, files = await call.body()
        return Answer(self._message(self.responses.follow_up(interaction, body, files)))

    async def get_message(self, call: Call) -> Answer:
        """The original answer or a follow-up."""
        interaction = self.responses.find(call["application_id"], call["token"])
        return Answer(self._message(self.responses.message(interaction, call["message_id"])))

    async def edit_message(self, call: Call) -> Answer:
        """Change the original answer or a follow-up."""
        interaction = self.responses.find(call["application_id"], call["token"])
        body, files = await call.body()
        return Answer(self._message(self.responses.edit(interaction, call["message_id"], read_draft(body, files))))

    async def delete_message(self, call: Call) -> Answer:
        """Delete the original answer or a follow-up."""
        interaction = self.responses.find(call["application_id"], call["token"])
        self.responses.delete(interaction, call["message_id"])
        return Answer(status=204)

    def _application(self) -> Json:
        bot = self.world.access.user(self.world.bot_id)
        return {
            "id": self.world.bot_id,
            "name": bot.username,
            "icon": None,
            "description": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "bot": self.payloads.user(bot),
            "verify_key": self.interactions.public_key,
            "flags": MESSAGE_CONTENT_FLAG if self.payloads.reads_content else 0,
            "approximate_guild_count": 1,
            "interactions_endpoint_url": self.interactions.endpoint,
        }

    def _scope(self, call: Call) -> str:
        """The parent under which commands are stored."""
        if call["application_id"] != self.world.bot_id:
            raise unknown("Application")
        guild = call.request.path_params.get("guild_id")
        if guild not in {None, GUILD_ID}:
            raise unknown("Guild")
        return guild or "0"

    def _commands(self, scope: str) -> list[Command]:
        return self.world.store.children(Command, scope)

    def _message(self, message: Message) -> Json:
        return self.payloads.message(message, viewer=self.world.bot_id)


def _check_commands(body: Any) -> None:
    faults = FormFaults()
    if not isinstance(body, list) or not all(isinstance(fields, dict) for fields in body):
        faults.wrong_type("_", "a list of objects")
        faults.raise_if_any()
    if len(body) > _COMMANDS_LIMIT:
        faults.too_long("_", _COMMANDS_LIMIT)
    for index, fields in enumerate(body):
        name, description = fields.get("name"), fields.get("description")
        if not isinstance(name, str) or not _COMMAND_NAME.fullmatch(name) or name != name.lower():
            faults.add(f"{index}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        is_chat_input = fields.get("type", _CHAT_INPUT) == _CHAT_INPUT
        if is_chat_input and not (isinstance(description, str) and 1 <= len(description) <= 100):
            faults.add(f"{index}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if len(fields.get("options") or []) > 25:
            faults.too_long(f"{index}.options", 25)
    names = [(fields.get("name"), fields.get("type", _CHAT_INPUT)) for fields in body]
    if len(set(names)) != len(names):
        faults.add("_", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
    faults.raise_if_any()
