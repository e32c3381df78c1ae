"""What the steps need of Discord."""

from typing import Protocol

from discord_agent.domain.ids import (
    ChannelId,
    MessageId,
    ThreadId,
)
from discord_agent.domain.inbound import Attachment, InboundMessage
from discord_agent.domain.policy import Place
from discord_agent.domain.posts import Post


class Discord(Protocol):
    """Discord's REST API. Errors: DiscordUnavailable, DiscordRefused."""

    def send(self, channel: ChannelId, post: Post, *, nonce: str) -> MessageId:
        """Send one message of at most 2000 characters; the same nonce within minutes sends nothing twice."""

    def edit(self, channel: ChannelId, message: MessageId, post: Post) -> None:
        """Replace a message's embeds and buttons, and its text if the post has one; its files stay."""

    def react(self, channel: ChannelId, message: MessageId, emoji: str) -> None:
        """Add the bot's own reaction; idempotent."""

    def start_thread(self, channel: ChannelId, message: MessageId, name: str) -> ThreadId:
        """Start a thread on a message, or return the one that exists; its id is the message's id."""

    def rename(self, channel: ChannelId, name: str) -> None:
        """Rename a thread, at most once per run: Discord allows two renames in ten minutes."""

    def place(self, channel: ChannelId) -> Place:
        """What a channel is: its guild, its name, whether it is a thread (types 10, 11, 12) and of which channel."""

    def typing(self, channel: ChannelId) -> None:
        """Show the typing indicator for ten seconds."""

    def history(self, channel: ChannelId, *, limit: int, after: MessageId | None = None) -> tuple[InboundMessage, ...]:
        """The newest messages, oldest first; with ``after`` only those that are newer."""

    def download(self, attachment: Attachment, *, limit: int) -> bytes:
        """An attachment's bytes; DiscordRefused when larger than ``limit``."""

    def acknowledge(self, interaction_id: str, token: str, *, answers: bool) -> None:
        """Defer an interaction that came in over the gateway: a command that ``answers`` its person, or a button.

        One that was acknowledged before, or that nobody waits for any more, is left as it is.
        """

    def answer(self, application_id: str, token: str, post: Post, *, ephemeral: bool = True) -> None:
        """Follow up on a deferred interaction."""

    def fulfil(self, application_id: str, token: str, post: Post) -> None:
        """Put a post in the place of a deferred command's "thinking …"; the same again changes nothing.

        Only the person who used the command sees it. Its right ends after 15 minutes: DiscordRefused.
        """
