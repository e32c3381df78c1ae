"""The slash commands: shown as a table, and registered with Discord."""

import argparse
from collections.abc import Mapping
from contextlib import closing
from typing import Final

import httpx

from deployment.documentation.commands import commands
from discord_agent.adapters.discord.client import RestClient
from discord_agent.adapters.discord.commands import application_of, register
from discord_agent.domain.commands import COMMANDS
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM

_TIMEOUT: Final = 15.0


def register_at(api_url: str, token: str, guild_id: str = "") -> bool:
    """Register the commands of the bot that a token belongs to; False if they were registered already."""
    with closing(httpx.Client(timeout=_TIMEOUT)) as http:
        client = RestClient(http, api_url=api_url, token=lambda: token)
        return register(client, application_of(client), guild_id)


def run(options: argparse.Namespace, variables: Mapping[str, str]) -> int:
    """Show the commands, or register them: with ``DISCORD_GUILD_ID`` in that guild, at once, else everywhere."""
    if not options.register:
        print(commands())
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
