"""Which events the product acts on; everything else ends here, cheaply."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FORWARDED: Final = frozenset(
    {
        "MESSAGE_CREATE",
        "MESSAGE_UPDATE",
        "MESSAGE_DELETE",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_REACTION_REMOVE",
        "THREAD_UPDATE",
        "THREAD_DELETE",
        "CHANNEL_DELETE",
        "GUILD_DELETE",
        "INTERACTION_CREATE",
    }
)


@dataclass(frozen=True, slots=True)
class Relevance:
    """The rules; ``other_bot`` is the user name of the one bot that may speak to ours."""

    bot_id: str
    other_bot: str = ""

    def matters(self, event: str, data: Mapping[str, Any]) -> bool:
        """Whether an event goes on; in doubt it does, because ``intake`` decides with the whole picture."""
        return (
            event in FORWARDED
            and not self._by_a_bot(data)
            and not self._own_reaction(event, data)
            and not self._outage(event, data)
        )

    def _by_a_bot(self, data: Mapping[str, Any]) -> bool:
        author = data.get("author")
        if not isinstance(author, Mapping):
            return False
        is_self = author.get("id") == self.bot_id
        is_other = bool(self.other_bot) and author.get("username") == self.other_bot
        return is_self or (author.get("bot") is True and not is_other)

    def _own_reaction(self, event: str, data: Mapping[str, Any]) -> bool:
        return event.startswith("MESSAGE_REACTION") and data.get("user_id") == self.bot_id

    def _outage(self, event: str, data: Mapping[str, Any]) -> bool:
        return event == "GUILD_DELETE" and data.get("unavailable") is True
