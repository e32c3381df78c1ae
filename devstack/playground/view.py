"""Messages and channels as the page needs them: Discord's payloads with a few figures more."""

from dataclasses import dataclass

from devstack.discord.app import Parts
from devstack.discord.errors import Json
from devstack.discord.payloads import emoji_json
from devstack.discord.records import DM, Channel, Command, Message, User


@dataclass(frozen=True, slots=True)
class View:
    """Writes records out for one person."""

    parts: Parts

    def message(self, message: Message, viewer: User) -> Json:
        """A message with its number of edits, who reacted, and whether only this person sees it."""
        return {
            **self.parts.payloads.message(message, viewer=viewer.id),
            "reactions": [
                {"emoji": emoji_json(r["emoji"]), "users": r["users"], "me": viewer.id in r["users"]}
                for r in message.reactions
            ],
            "edit_count": message.edit_count,
            "ephemeral": message.visible_to is not None,
        }

    def channel(self, channel: Channel) -> Json:
        """A channel, thread or direct message."""
        return self.parts.payloads.channel(channel)

    def directs(self, user: User) -> list[Json]:
        """A person's direct messages."""
        everywhere = self.parts.world.store.children(Channel, "0")
        return [self.channel(c) for c in everywhere if c.type == DM and user.id in c.recipients]

    def commands(self) -> list[Json]:
        """The slash commands on offer."""
        return [self.parts.payloads.command(command) for command in self.parts.world.store.everything(Command)]
