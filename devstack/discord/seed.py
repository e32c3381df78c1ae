"""Who and what exists at the first start: a guild, three channels, two people and the bot."""

from dataclasses import dataclass
from typing import Final

from devstack.discord import permissions
from devstack.discord.records import GUILD_TEXT, Channel, Role, User
from devstack.discord.store import Store

GUILD_ID: Final = "1290000000000000000"
GUILD_NAME: Final = "Playground"
EVERYONE_ID: Final = GUILD_ID
ADMIN_ROLE_ID: Final = "1290000000000000001"
BOT_ROLE_ID: Final = "1290000000000000002"
GENERAL_ID: Final = "1290000000000000010"
WORKSHOP_ID: Final = "1290000000000000011"
RANDOM_ID: Final = "1290000000000000012"
ADA_ID: Final = "1290000000000000100"
LINUS_ID: Final = "1290000000000000101"
BOT_ID: Final = "1290000000000000200"

_ROLES = (
    Role(EVERYONE_ID, "@everyone", int(permissions.MEMBER)),
    Role(ADMIN_ROLE_ID, "admin", int(permissions.Permission.ADMINISTRATOR)),
    Role(BOT_ROLE_ID, "bot", int(permissions.BOT)),
)

_CHANNELS = (
    (GENERAL_ID, "general", "Ask the bot anything"),
    (WORKSHOP_ID, "workshop", "Longer work, one thread per task"),
    (RANDOM_ID, "random", "Everything else"),
)


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot's account; ``message_content`` says whether its privileged intent is granted."""

    id: str = BOT_ID
    username: str = "nepnep"
    message_content: bool = True


def plant(store: Store, bot: Bot) -> None:
    """Store what is missing; what exists stays as it is, only the bot follows its settings."""
    with store.transaction():
        if store.get(Role, EVERYONE_ID) is None:
            for role in _ROLES:
                store.put(role)
            for position, (identifier, name, topic) in enumerate(_CHANNELS):
                store.put(Channel(identifier, GUILD_TEXT, GUILD_ID, name, GUILD_ID, topic, position))
            store.put(User(ADA_ID, "ada", "Ada", roles=(ADMIN_ROLE_ID,)))
            store.put(User(LINUS_ID, "linus", "Linus"))
        store.put(User(bot.id, bot.username, bot.username, bot=True, roles=(BOT_ROLE_ID,)))
