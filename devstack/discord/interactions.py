"""Interactions: pressed buttons and slash commands, delivered signed over HTTP or by the gateway, answered in time."""

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Iterator
from copy import replace
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from nacl.signing import SigningKey

from devstack.discord import components
from devstack.discord.errors import ApiError, Json, invalid_form, unknown
from devstack.discord.gateway import Gateway
from devstack.discord.payloads import Payloads
from devstack.discord.permissions import Permission
from devstack.discord.records import DM, Channel, Command, Interaction, Message, User
from devstack.discord.seed import GUILD_ID
from devstack.discord.world import World

PING: Final = 1
COMMAND: Final = 2
COMPONENT: Final = 3
_ENDPOINT_SETTING: Final = "interactions-endpoint"
_SUBCOMMAND: Final = 1
_CHANNEL: Final = 7
_MENTION: Final = re.compile(r"<[#@][!&]?([0-9]{1,20})>")
_CONVERTERS: Final[dict[int, Callable[[Any], Any]]] = {
    4: int,
    5: lambda text: str(text).lower() == "true",
    6: lambda text: _named(str(text)),
    7: lambda text: _named(str(text)),
    8: lambda text: _named(str(text)),
    10: float,
}
"""Option types that are not text: integer, boolean, user, channel, role, number."""

type Answerer = Callable[[Interaction, Json], None]


@dataclass(slots=True)
class Interactions:
    """Starts interactions and waits for their answers; ``respond`` carries an answer out."""

    world: World
    payloads: Payloads
    gateway: Gateway
    key: SigningKey
    respond: Answerer
    http: httpx.AsyncClient
    _waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    @property
    def public_key(self) -> str:
        """What an application verifies signatures with, as hex."""
        return self.key.verify_key.encode().hex()

    @property
    def endpoint(self) -> str | None:
        """Where interactions are posted; None while they go over the gateway."""
        return self.world.store.setting(_ENDPOINT_SETTING) or None

    async def set_endpoint(self, url: str | None) -> None:
        """Change the endpoint; one that does not pass both of Discord's checks is refused with 50035."""
        if url and not await self._is_sound(url):
            message = "The specified interactions endpoint url could not be verified."
            raise invalid_form("interactions_endpoint_url", "APPLICATION_INTERACTIONS_ENDPOINT_UNVERIFIED", message)
        self.world.store.set(_ENDPOINT_SETTING, url or "")

    async def press(
        self, user: User, channel_id: str, message: Message, custom_id: str, values: list[str]
    ) -> Interaction:
        """A user presses a button or chooses in a select."""
        component = components.find(message.components, custom_id)
        is_visible = message.visible_to in {None, user.id}
        if component is None or component.get("disabled") or not is_visible:
            raise ApiError(400, 50035, "Invalid Form Body")
        chosen = {"values": values} if component["type"] != components.BUTTON else {}
        data = {"custom_id": custom_id, "component_type": component["type"], "id": component["id"], **chosen}
        return await self._start(COMPONENT, user, self.world.access.channel(channel_id), data, message)

    async def command(self, user: User, channel_id: str, name: str, options: dict[str, Any]) -> Interaction:
        """A user sends a slash command such as ``logs`` or ``workspace list``; options are given by name."""
        channel = self.world.access.channel(channel_id)
        self.world.access.require(user, channel, Permission.USE_APPLICATION_COMMANDS)
        root, _, subcommand = name.partition(" ")
        command = self._find_command(root)
        filled = _fill(command.body.get("options", []), subcommand, options)
        data = {"id": command.id, "name": root, "type": 1, "options": filled, **self._resolved(user, filled)}
        return await self._start(COMMAND, user, channel, data, None)

    def _resolved(self, user: User, options: list[Json]) -> Json:
        """The channels that options name, with what the user may do there; one that is not seen cannot be named."""
        channels: Json = {}
        for option in _values(options):
            if option["type"] == _CHANNEL:
                channel = self.world.access.channel(option["value"])
                self.world.access.require(user, channel)
                permissions = str(int(self.world.access.permissions(user, channel)))
                channels[channel.id] = self.payloads.channel(channel) | {"permissions": permissions}
        return {"resolved": {"channels": channels}} if channels else {}

    def find(self, identifier: str, token: str) -> Interaction:
        """An interaction that may still be answered for the first time; 10062 or 40060 otherwise."""
        interaction = self.world.store.get(Interaction, identifier) if identifier.isdigit() else None
        if interaction is None or interaction.token != token or interaction.failed:
            raise unknown("interaction")
        if interaction.response is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if self.world.now() - interaction.created_at > self.world.rules.interaction_deadline:
            raise unknown("interaction")
        return interaction

    def answer(self, identifier: str, token: str, body: Any) -> None:
        """The application's first answer."""
        interaction = self.find(identifier, token)
        if not isinstance(body, dict):
            raise invalid_form("type", "BASE_TYPE_REQUIRED", "This field is required")
        self.respond(interaction, body)
        if waiting := self._waiting.get(identifier):
            waiting.set()

    async def _start(self, kind: int, user: User, channel: Channel, data: Json, message: Message | None) -> Interaction:
        self.world.access.require(user, channel)
        interaction = Interaction(
            id=self.world.ids.next(),
            parent=channel.id,
            token=secrets.token_urlsafe(96),
            type=kind,
            user_id=user.id,
            created_at=self.world.now(),
            data=data,
            message_id=message.id if message else None,
        )
        self.world.store.put(interaction)
        self._waiting[interaction.id] = asyncio.Event()
        try:
            async with asyncio.timeout(self.world.rules.interaction_deadline):
                await self._deliver(interaction, self._payload(interaction, user, channel, message), channel)
        except (TimeoutError, httpx.HTTPError, ApiError, ValueError) as fault:
            self._give_up(interaction, fault)
        finally:
            del self._waiting[interaction.id]
        return self._current(interaction)

    async def _deliver(self, interaction: Interaction, payload: Json, channel: Channel) -> None:
        waiting = self._waiting[interaction.id]
        if self.endpoint is None:
            self.gateway.dispatch("INTERACTION_CREATE", payload, channel)
            await waiting.wait()
            return
        answer = await self._post(self.endpoint, payload)
        if answer.status_code == 202:
            await waiting.wait()
        elif answer.status_code == 200:
            self.answer(interaction.id, interaction.token, answer.json())
        else:
            raise ValueError(f"the endpoint answered {answer.status_code}")

    def _give_up(self, interaction: Interaction, fault: Exception) -> None:
        current = self._current(interaction)
        if current.response is None:
            self.world.store.put(replace(current, failed=True, fault=f"{type(fault).__name__}: {fault}"[:300]))

    def _current(self, interaction: Interaction) -> Interaction:
        return self.world.store.get(Interaction, interaction.id) or interaction

    async def _is_sound(self, url: str) -> bool:
        """Whether an endpoint answers a ping and refuses a forged one."""
        ping = {"id": self.world.ids.next(), "application_id": self.world.bot_id, "type": PING, "version": 1}
        ping["token"] = secrets.token_urlsafe(96)
        try:
            async with asyncio.timeout(2 * self.world.rules.interaction_deadline):
                pong = await self._post(url, ping)
                forged = await self._post(url, ping, key=SigningKey.generate())
                return pong.status_code == 200 and pong.json() == {"type": 1} and forged.status_code == 401
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError):
            return False

    async def _post(self, url: str, payload: Json, key: SigningKey | None = None) -> httpx.Response:
        body = json.dumps(payload).encode()
        timestamp = str(int(self.world.now()))
        signature = (key or self.key).sign(timestamp.encode() + body).signature.hex()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
            "X-Signature-Ed25519": signature,
            "X-Signature-Timestamp": timestamp,
        }
        return await self.http.post(url, content=body, headers=headers)

    def _payload(self, interaction: Interaction, user: User, channel: Channel, message: Message | None) -> Json:
        bot = self.world.access.user(self.world.bot_id)
        is_direct = channel.type == DM
        permissions = str(int(self.world.access.permissions(user, channel)))
        member = self.payloads.member(user, with_user=True) | {"permissions": permissions}
        guild = {
            "guild_id": GUILD_ID,
            "guild": {"id": GUILD_ID, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
        }
        return {
            "id": interaction.id,
            "application_id": self.world.bot_id,
            "type": interaction.type,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": channel.id,
            "channel": self.payloads.channel(channel) | {"permissions": permissions},
            "app_permissions": str(int(self.world.access.permissions(bot, channel))),
            "locale": "en-US",
            "context": 1 if is_direct else 0,
            "authorizing_integration_owners": {"0": "0" if is_direct else GUILD_ID},
            "attachment_size_limit": self.world.rules.file_size,
            "entitlements": [],
            **({"user": self.payloads.user(user)} if is_direct else {"member": member, **guild}),
            **({"message": self.payloads.message(message, viewer=self.world.bot_id)} if message else {}),
        }

    def _find_command(self, name: str) -> Command:
        commands = self.world.store.everything(Command)
        # A guild's command hides the global one of the same name.
        fitting = sorted((c for c in commands if c.body.get("name") == name), key=lambda c: c.parent == "0")
        if not fitting:
            raise unknown("application command")
        return fitting[0]


def _fill(declared: list[Json], subcommand: str, given: dict[str, Any]) -> list[Json]:
    """Option values in the types that the command declares; unknown and missing ones are faults."""
    if any(option["type"] == _SUBCOMMAND for option in declared) or subcommand:
        chosen = next((o for o in declared if o["type"] == _SUBCOMMAND and o["name"] == subcommand), None)
        if chosen is None:
            names = [option["name"] for option in declared if option["type"] == _SUBCOMMAND]
            raise invalid_form("options", "BASE_TYPE_CHOICES", f"The subcommand must be one of {names}.")
        return [{"name": subcommand, "type": _SUBCOMMAND, "options": _fill(chosen.get("options", []), "", given)}]
    by_name = {option["name"]: option for option in declared}
    for name in given:
        if name not in by_name:
            raise invalid_form(f"options.{name}", "UNKNOWN_OPTION", "The command has no such option.")
    for option in declared:
        if option.get("required") and option["name"] not in given:
            raise invalid_form(f"options.{option['name']}", "BASE_TYPE_REQUIRED", "This option is required.")
    return [_option(by_name[name], value) for name, value in given.items()]


def _values(options: list[Json]) -> Iterator[Json]:
    """The options that hold values, those of a subcommand too."""
    for option in options:
        if option["type"] == _SUBCOMMAND:
            yield from _values(option["options"])
        else:
            yield option


def _named(text: str) -> str:
    """The id of what is mentioned, or the id itself; ValueError for anything else."""
    mention = _MENTION.fullmatch(text)
    found = mention[1] if mention else text
    if not found.isdecimal():
        raise ValueError(text)
    return found


def _option(declared: Json, value: Any) -> Json:
    name, kind = declared["name"], int(declared["type"])
    try:
        converted = _CONVERTERS.get(kind, str)(value)
    except ValueError:
        raise invalid_form(f"options.{name}", "BASE_TYPE_BAD_TYPE", "Not a value of this kind.") from None
    choices = [choice["value"] for choice in declared.get("choices", [])]
    if choices and converted not in choices:
        raise invalid_form(f"options.{name}", "BASE_TYPE_CHOICES", f"Value must be one of {choices}.")
    _check_bounds(declared, converted)
    return {"name": name, "type": kind, "value": converted}


def _check_bounds(declared: Json, value: Any) -> None:
    """A text within its length, a number within its range, as far as the command says."""
    measured, bounds = (len(value), "length") if isinstance(value, str) else (value, "value")
    least, most = declared.get(f"min_{bounds}"), declared.get(f"max_{bounds}")
    if (least is not None and measured < least) or (most is not None and measured > most):
        raise invalid_form(f"options.{declared['name']}", "NUMBER_TYPE_RANGE", f"Must be between {least} and {most}.")
