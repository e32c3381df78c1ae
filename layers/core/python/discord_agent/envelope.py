"""What travels on the queue of inbound events: one raw payload of Discord, whichever way it came in."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

import msgspec
from msgspec import DecodeError, Meta, Struct, ValidationError

from discord_agent.domain.errors import InvalidEvent

INTERACTION_CREATE: Final = "INTERACTION_CREATE"
MAX_BODY: Final = 256 * 1024

_OWN_ID_EVENTS: Final = frozenset(
    {"MESSAGE_CREATE", "MESSAGE_DELETE", "THREAD_DELETE", "CHANNEL_DELETE", INTERACTION_CREATE}
)
"""Events that happen once per id."""

_GROUP_KEYS: Final = {
    "THREAD_DELETE": "id",
    "THREAD_UPDATE": "id",
    "CHANNEL_DELETE": "id",
    "GUILD_DELETE": "id",
}


class Kind(StrEnum):
    """How an event reached us."""

    DISPATCH = "dispatch"
    INTERACTION = "interaction"


class Envelope(Struct, frozen=True, kw_only=True):
    """One inbound event; ``event`` is the gateway's name for it, ``data`` its payload, untouched."""

    v: Literal[1] = 1
    kind: Kind
    event: str
    data: dict[str, Any]
    received_at: Annotated[datetime, Meta(tz=True)]

    @classmethod
    def of_dispatch(cls, event: str, data: dict[str, Any], now: datetime) -> Self:
        """Wrap what the gateway dispatched."""
        return cls(kind=Kind.DISPATCH, event=event, data=data, received_at=now)

    @classmethod
    def of_interaction(cls, data: dict[str, Any], now: datetime) -> Self:
        """Wrap what Discord posted to the interactions endpoint."""
        return cls(kind=Kind.INTERACTION, event=INTERACTION_CREATE, data=data, received_at=now)

    @classmethod
    def read(cls, body: str | bytes) -> Self:
        """Parse a queue message's body; InvalidEvent when it is none."""
        try:
            return msgspec.json.decode(body, type=cls)
        except (DecodeError, UnicodeError, RecursionError) as error:
            raise InvalidEvent(f"not an envelope: {error!s:.500}") from error

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """What was read from JSON already; InvalidEvent when it is none."""
        try:
            return msgspec.convert(document, cls)
        except (ValidationError, RecursionError) as error:
            raise InvalidEvent(f"not an envelope: {error!s:.500}") from error

    def write(self) -> str:
        """The queue message's body, in ASCII: the queue refuses some characters that a person may send.

        InvalidEvent when it is larger than a queue takes, or holds half a character.
        """
        try:
            document = msgspec.json.decode(msgspec.json.encode(self))
        except UnicodeEncodeError as error:
            raise InvalidEvent(f"{self.event:.40} cannot be written as JSON") from error
        body = json.dumps(document, separators=(",", ":"))
        if len(body) > MAX_BODY:
            raise InvalidEvent(f"{self.event:.40} of {len(body)} bytes is larger than any event of Discord")
        return body


def group_id(event: str, data: Mapping[str, Any]) -> str:
    """The FIFO group: the thread or channel (or guild) whose events must stay in order."""
    value = data.get(_GROUP_KEYS.get(event, "channel_id")) or data.get("guild_id")
    return value if isinstance(value, str) and value else "none"


def deduplication_id(event: str, data: Mapping[str, Any], *, occurrence: str = "") -> str:
    """The FIFO deduplication id, at most 128 characters: the same for every delivery of one event.

    What happens once per id is named by it. An edit is named by its time. What can happen again to the same
    message (a reaction that is taken back and given anew) needs ``occurrence``, which the sender derives from
    the session and sequence number: a replay after a resume repeats both.
    """
    if event in _OWN_ID_EVENTS:
        return f"{event}:{data.get('id', '')!s:.40}"
    identity = "\n".join(str(part) for part in (event, *_identity(data), occurrence))
    return f"{event:.40}:{hashlib.sha256(identity.encode()).hexdigest()}"


def _identity(data: Mapping[str, Any]) -> tuple[Any, ...]:
    emoji = data.get("emoji")
    symbol = (emoji.get("id"), emoji.get("name")) if isinstance(emoji, dict) else ()
    edited = (data.get("edited_timestamp"), data.get("content"))
    return (data.get("id"), data.get("message_id"), data.get("user_id"), *symbol, *edited)
