"""Slash commands as people use them, answered through intake."""

from collections.abc import Mapping

from discord_agent.domain.ids import ChannelId
from discord_agent.domain.inbound import Author, CommandInvoked, NamedChannel
from discord_agent.domain.policy import ADMINISTRATOR
from discord_agent.domain.posts import Post
from tests.support.fakes.world import ADA, BOB, GUILD, THREAD, World

PERSON = Author(BOB, "Bob")
REQUESTER = Author(ADA, "Ada")
ADMIN = Author(ADA, "Ada", permissions=ADMINISTRATOR)


def use(
    world: World,
    name: str,
    values: Mapping[str, str] | None = None,
    *,
    by: Author = PERSON,
    channel: str = THREAD,
    channels: tuple[NamedChannel, ...] = (),
    interaction: str = "7",
    **options: str,
) -> Post:
    """Use a command, its options as ``values`` or by name; what the person sees in the end."""
    token = f"token-{interaction}"
    given = tuple({**(values or {}), **options}.items())
    event = CommandInvoked(interaction, token, "9", name, given, ChannelId(channel), GUILD, by, channels)
    world.intake()(event)
    return world.discord.fulfilled[token]


def fields(post: Post) -> dict[str, str]:
    """The fields of a post's card by name."""
    return {field.name: field.value for embed in post.embeds for field in embed.fields}
