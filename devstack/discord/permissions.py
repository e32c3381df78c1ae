"""Permission bits and how roles and a channel's overwrites add up."""

from collections.abc import Iterable
from enum import IntFlag

from devstack.discord.errors import Json


class Permission(IntFlag):
    """Discord's permission bits, as far as they matter here."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


EVERYTHING = Permission(sum(Permission))

MEMBER = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ATTACH_FILES
    | Permission.EMBED_LINKS
    | Permission.ADD_REACTIONS
    | Permission.USE_APPLICATION_COMMANDS
)

BOT = Permission(326_417_632_320)
"""What the bot's invitation asks for, with manage threads."""

DIRECT_MESSAGE = MEMBER


def combine(
    *, everyone: str, held: Iterable[str], role_bits: dict[str, int], overwrites: Iterable[Json], user: str
) -> Permission:
    """A member's permissions in a channel: roles first, then the overwrites of everyone, roles and member."""
    roles = [everyone, *held]
    bits = 0
    for role in roles:
        bits |= role_bits.get(role, 0)
    if bits & Permission.ADMINISTRATOR:
        return EVERYTHING
    by_id = {overwrite["id"]: overwrite for overwrite in overwrites}
    for group in ([everyone], roles[1:], [user]):
        deny = allow = 0
        for target in group:
            overwrite = by_id.get(target, {})
            deny |= int(overwrite.get("deny", 0))
            allow |= int(overwrite.get("allow", 0))
        bits = bits & ~deny | allow
    return Permission(bits)
