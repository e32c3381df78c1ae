"""The slash commands: shown as a table, and registered with Discord."""

import argparse
from collections.abc import Mapping
from contextlib import closing
from typing import Final

import httpx

from discord_agent.adapters.discord.client import RestClient
from discord_agent.adapters.discord.commands import application_of, register
from discord_agent.domain.commands import COMMANDS, Command, Option
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM

_TIMEOUT: Final = 15.0


def table() -> str:
    """The commands in Markdown, as they stand in docs/COMMANDS.md."""
    rows = (
        f"| `/{command.name}` | {_options(command)} | {command.needs} | {command.description} |" for command in COMMANDS
    )
    return "\n".join(("| command | options | needs | what it does |", "| --- | --- | --- | --- |", *rows))


def register_at(api_url: str, token: str, guild_id: str = "") -> bool:
    """Register the commands of the bot that a token belongs to; False if they were registered already."""
    with closing(httpx.Client(timeout=_TIMEOUT)) as http:
        client = RestClient(http, api_url=api_url, token=token)
        return register(client, application_of(client), guild_id)


def run(options: argparse.Namespace, variables: Mapping[str, str]) -> int:
    """Show the commands, or register them: with ``DISCORD_GUILD_ID`` in that guild, at once, else everywhere."""
    if not options.register:
        print(table())
        return 0
    token = variables.get("DISCORD_TOKEN", "")
    if not token:
        raise InvalidSettings("set DISCORD_TOKEN to the bot's token")
    guild = variables.get("DISCORD_GUILD_ID", "")
    api_url = variables.get("DISCORD_API_URL") or SYSTEM.parameters["DISCORD_API_URL"]
    changed = register_at(api_url, token, guild)
    where = f"in the server {guild}" if guild else "everywhere the bot is (clients may take a while to show them)"
    print(f"{len(COMMANDS)} commands {'registered' if changed else 'were registered already'} {where}")
    return 0


def _options(command: Command) -> str:
    return ", ".join(map(_option, command.options)) or "none"


def _option(option: Option) -> str:
    choices = f": {' / '.join(option.choices)}" if option.choices else ""
    bounds = f": {option.least} to {option.most}" if option.least is not None and option.most is not None else ""
    return f"`{option.name}`{'' if option.required else '?'}{choices}{bounds}"
