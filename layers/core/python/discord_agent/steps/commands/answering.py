"""Slash commands: the use case of each, and its answer to the one person who asked."""

import logging
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from discord_agent.domain.commands import Invocation
from discord_agent.domain.errors import Conflict, DiscordRefused, InvalidInput
from discord_agent.domain.inbound import CommandInvoked
from discord_agent.domain.policy import Place
from discord_agent.domain.posts import Post
from discord_agent.ports import Discord
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.commands.asked import Asked, UseCase

_LOG = logging.getLogger(__name__)
_OUT_OF_TIME: Final = frozenset({401, 404})
"""How Discord refuses the token of an interaction that is older than a quarter of an hour."""


class Commands(Struct, frozen=True):
    """Does what commands ask for; one that is delivered again finds it done and shows the same answer.

    ``find`` gives the use case of a command by its name.
    """

    find: Callable[[str], UseCase]
    discord: Discord
    chronicle: Chronicle

    def __call__(self, event: CommandInvoked, invocation: Invocation, place: Place) -> None:
        """Carry a command out and answer it."""
        asked = Asked(event, invocation, place)
        try:
            post = self.find(invocation.command.name)(asked)
        except (InvalidInput, Conflict) as error:
            self.tell(event, Post(str(error)))
            return
        self.chronicle.note(
            asked.thread,
            None,
            "command",
            actor=event.author.id,
            command=invocation.command.name,
            options={name: str(value) for name, value in invocation.values.items()},
        )
        self.tell(event, post)

    def tell(self, event: CommandInvoked, post: Post) -> None:
        """Answer a command; an answer that comes too late for its person is given up."""
        try:
            self.discord.fulfil(event.application_id, event.token, post)
        except DiscordRefused as error:
            if error.status not in _OUT_OF_TIME:
                raise
            _LOG.warning("answer came too late", extra={"command": event.name, "code": error.code})
