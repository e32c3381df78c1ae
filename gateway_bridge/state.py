"""What a bridge remembers of its shard across processes."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

_CHANNELS: Final = 100
"""Channels remembered for a backfill, those with the newest messages."""


@dataclass(frozen=True, slots=True)
class Session:
    """A gateway session that can be resumed."""

    id: str
    resume_url: str


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The newest message seen in a channel, and the guild the channel belongs to."""

    message_id: str
    guild_id: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """How far the queue has taken the shard's events: everything up to ``sequence`` is queued or did not matter."""

    session: Session | None = None
    sequence: int | None = None
    channels: dict[str, LastSeen] = field(default_factory=dict)

    def started(self, session: Session, sequence: int) -> Self:
        """The state after a new session began."""
        return replace(self, session=session, sequence=sequence)

    def reached(self, sequence: int) -> Self:
        """The state after one more event."""
        return replace(self, sequence=sequence)

    def saw(self, channel_id: str, seen: LastSeen) -> Self:
        """The state after a message was seen in a channel; older ones than the known change nothing."""
        known = self.channels.get(channel_id)
        if known is not None and int(known.message_id) >= int(seen.message_id):
            return self
        channels = self.channels | {channel_id: seen}
        newest = sorted(channels, key=lambda key: int(channels[key].message_id), reverse=True)[:_CHANNELS]
        return replace(self, channels={key: channels[key] for key in newest})

    def forgot(self, channel_id: str) -> Self:
        """The state without a channel that is gone."""
        return replace(self, channels={key: seen for key, seen in self.channels.items() if key != channel_id})


class _StoredSession(BaseModel):
    id: str
    resume_url: str


class _StoredState(BaseModel):
    model_config = ConfigDict(extra="ignore")

    session: _StoredSession | None = None
    sequence: int | None = None
    channels: dict[str, tuple[str, str | None]] = Field(default_factory=dict)


def write_state(state: State) -> str:
    """The state as stored."""
    session = _StoredSession(id=state.session.id, resume_url=state.session.resume_url) if state.session else None
    channels = {key: (seen.message_id, seen.guild_id) for key, seen in state.channels.items()}
    return _StoredState(session=session, sequence=state.sequence, channels=channels).model_dump_json()


def read_state(text: str) -> State:
    """A stored state; ValueError when it is none."""
    stored = _StoredState.model_validate_json(text)
    session = Session(stored.session.id, stored.session.resume_url) if stored.session else None
    channels = {key: LastSeen(message, guild) for key, (message, guild) in stored.channels.items()}
    return State(session, stored.sequence, channels)


def last_seen(event: str, data: dict[str, Any]) -> tuple[str, LastSeen] | None:
    """The channel and message a new message shows to be alive; None for other events."""
    channel, message, guild = data.get("channel_id"), data.get("id"), data.get("guild_id")
    usable = isinstance(channel, str) and isinstance(message, str) and message.isdecimal()
    if event != "MESSAGE_CREATE" or not usable:
        return None
    return str(channel), LastSeen(str(message), guild if isinstance(guild, str) else None)
