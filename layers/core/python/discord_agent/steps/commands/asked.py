"""What every slash command is given."""

from collections.abc import Callable

from msgspec import Struct

from discord_agent.domain.commands import Invocation
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.inbound import CommandInvoked
from discord_agent.domain.policy import Place
from discord_agent.domain.posts import Post


class Asked(Struct, frozen=True):
    """A command that its user may use at ``place``."""

    event: CommandInvoked
    invocation: Invocation
    place: Place

    @property
    def thread(self) -> ThreadId:
        """Where it was used: commands are about that place only."""
        return ThreadId(self.event.channel_id)


type UseCase = Callable[[Asked], Post]
"""Does what a command asks for; its answer. InvalidInput or Conflict, as a sentence for people, when it cannot."""
