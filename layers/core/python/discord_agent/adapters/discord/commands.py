"""Registering the slash commands with Discord."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from discord_agent.adapters.discord.client import Call, RestClient
from discord_agent.domain.commands import COMMANDS, GROUPS, Command, Option, OptionKind
from discord_agent.domain.errors import DiscordUnavailable

type Payload = dict[str, Any]

_CHAT_INPUT: Final = 1
_SUBCOMMAND: Final = 1
_THREADS: Final = (10, 11, 12)
_EVERYWHERE: Final = {"contexts": [0, 1], "integration_types": [0]}
"""In guilds and in direct messages with the bot; commands of one guild know no contexts."""

_NUMBERS: Final = frozenset({OptionKind.INTEGER, OptionKind.NUMBER})
_COMPARED: Final = frozenset(
    {"name", "description", "type", "options", "required", "choices", "value", "channel_types"}
    | {"min_value", "max_value", "min_length", "max_length", "contexts", "integration_types"}
)


def registration(commands: Iterable[Command] = COMMANDS, *, in_guild: bool) -> list[Payload]:
    """The body that registers commands, those of two words as subcommands of their first word."""
    registered: dict[str, Payload] = {}
    for command in commands:
        first, _, rest = command.name.partition(" ")
        description = GROUPS[first] if rest else command.description
        empty = {"name": first, "type": _CHAT_INPUT, "description": description, "options": []}
        whole = registered.setdefault(first, empty | ({} if in_guild else _EVERYWHERE))
        options = [_option(option) for option in command.options]
        subcommand = {"name": rest, "description": command.description, "type": _SUBCOMMAND, "options": options}
        whole["options"] += [subcommand] if rest else options
    return list(registered.values())


def register(client: RestClient, application_id: str, guild_id: str = "") -> bool:
    """Replace the commands of a guild, or the global ones; False if they are registered already.

    Discord makes every client load global commands anew after each change, so that nothing is sent without one.
    """
    if registered(client, application_id, guild_id):
        return False
    template, ids = _scope(application_id, guild_id)
    client.request(Call("PUT", template, ids, registration(in_guild=bool(guild_id))))
    return True


def registered(client: RestClient, application_id: str, guild_id: str = "") -> bool:
    """Whether the commands of a guild, or the global ones, are those there should be."""
    known = client.request(Call("GET", *_scope(application_id, guild_id)))
    if not isinstance(known, list):
        raise DiscordUnavailable("the answer to GET commands is not a list")
    return _by_name(known) == _by_name(registration(in_guild=bool(guild_id)))


def application_of(client: RestClient) -> str:
    """The id of the application that the client's token belongs to."""
    answer = client.request(Call("GET", "/applications/@me"))
    if not (isinstance(answer, dict) and isinstance(answer.get("id"), str)):
        raise DiscordUnavailable("the answer to GET application names no id")
    return str(answer["id"])


def _scope(application_id: str, guild_id: str) -> tuple[str, tuple[str, ...]]:
    if guild_id:
        return "/applications/{}/guilds/{}/commands", (application_id, guild_id)
    return "/applications/{}/commands", (application_id,)


def _option(option: Option) -> Payload:
    payload: Payload = {"name": option.name, "description": option.description, "type": int(option.kind)}
    if option.required:
        payload["required"] = True
    if option.choices:
        payload["choices"] = [{"name": choice, "value": choice} for choice in option.choices]
    if option.kind is OptionKind.THREAD:
        payload["channel_types"] = list(_THREADS)
    lower, upper = ("min_value", "max_value") if option.kind in _NUMBERS else ("min_length", "max_length")
    bounds = {lower: option.least, upper: option.most}
    return payload | {name: bound for name, bound in bounds.items() if bound is not None}


def _by_name(commands: Iterable[Any]) -> dict[Any, Any]:
    return {command.get("name"): _essence(command) for command in commands if isinstance(command, Mapping)}


def _essence(value: Any) -> Any:
    """What we say of a command: Discord adds ids and versions, and spells out what is empty or not required."""
    match value:
        case Mapping():
            found = {name: _essence(item) for name, item in value.items() if name in _COMPARED}
            return {name: item for name, item in found.items() if not (item is None or item is False or item == [])}
        case list():
            return [_essence(item) for item in value]
        case _:
            return value
