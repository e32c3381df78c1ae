"""Gateway sessions: what a client asked for, and the events it may still have to be told after a reconnect."""

import asyncio
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from devstack.discord.errors import Json
from devstack.discord.records import DM, Message
from devstack.discord.world import Event

GUILDS: Final = 1 << 0
GUILD_MEMBERS: Final = 1 << 1
GUILD_PRESENCES: Final = 1 << 8
GUILD_MESSAGES: Final = 1 << 9
GUILD_REACTIONS: Final = 1 << 10
GUILD_TYPING: Final = 1 << 11
DIRECT_MESSAGES: Final = 1 << 12
DIRECT_REACTIONS: Final = 1 << 13
DIRECT_TYPING: Final = 1 << 14
MESSAGE_CONTENT: Final = 1 << 15
_KNOWN_BITS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 24, 25)
KNOWN: Final = sum(1 << bit for bit in _KNOWN_BITS)

_CONTENT_FIELDS: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def needed_intent(event: Event) -> int:
    """The intent that lets an event through; 0 if it needs none."""
    is_direct = event.channel.type == DM
    if event.name.startswith("MESSAGE_REACTION"):
        return DIRECT_REACTIONS if is_direct else GUILD_REACTIONS
    if event.name.startswith("MESSAGE"):
        return DIRECT_MESSAGES if is_direct else GUILD_MESSAGES
    if event.name == "TYPING_START":
        return DIRECT_TYPING if is_direct else GUILD_TYPING
    if event.name.startswith(("THREAD", "CHANNEL", "GUILD")):
        return DIRECT_MESSAGES if is_direct else GUILDS
    return 0


@dataclass(frozen=True, slots=True)
class Close:
    """Order to close the connection."""

    code: int
    reason: str = ""


@dataclass(slots=True)
class Session:
    """One session; ``outbox`` is what the current connection still has to send, None when none is connected."""

    intents: int
    shard: tuple[int, int]
    replay: deque[tuple[int, str]]
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = 0
    outbox: asyncio.Queue[str | Close] | None = None
    lost_at: float | None = None

    def wants(self, event: Event) -> bool:
        """Whether the session's intents and shard cover an event."""
        intent = needed_intent(event)
        guild = event.channel.guild_id
        shard = (int(guild) >> 22) % self.shard[1] if guild else 0
        return shard == self.shard[0] and (intent == 0 or bool(self.intents & intent))

    def dispatch(self, name: str, data: Json) -> None:
        """Number an event, keep it for a resume and send it if somebody is connected."""
        self.sequence += 1
        frame = json.dumps({"op": 0, "s": self.sequence, "t": name, "d": data}, ensure_ascii=False)
        self.replay.append((self.sequence, frame))
        if self.outbox is not None:
            self.outbox.put_nowait(frame)

    def covers(self, sequence: int) -> bool:
        """Whether everything after a sequence number can still be told."""
        missed = self.sequence - sequence
        return 0 <= missed <= len(self.replay)

    def missed_since(self, sequence: int) -> list[str]:
        """The frames after a sequence number."""
        return [frame for number, frame in self.replay if number > sequence]

    def hide_content(self, message: Message, payload: Json, *, bot_id: str, is_direct: bool) -> Json:
        """Empty what the MESSAGE_CONTENT intent would show, unless the message is for or by the bot."""
        is_visible = (
            self.intents & MESSAGE_CONTENT or is_direct or message.author_id == bot_id or bot_id in message.mentions
        )
        return payload if is_visible else payload | _CONTENT_FIELDS
