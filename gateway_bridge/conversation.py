"""The gateway protocol without any I/O: frames in, what to do out (Discord documentation, "Gateway")."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gateway_bridge.state import Session

KEEPS_SESSION: Final = 4900
"""Our close code: anything but 1000 and 1001 leaves the session resumable."""


class Op(IntEnum):
    """Opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Reconnect(StrEnum):
    """How to go on after a connection ended."""

    RESUME = "resume"
    IDENTIFY = "identify"
    NEVER = "never"


_HOPELESS: Final = {
    4004: "the token is wrong: store the bot's current token in the secret",
    4010: "the shard is invalid: check SHARD_ID and SHARD_COUNT",
    4011: "sharding is required: raise SHARD_COUNT",
    4012: "the gateway version is not served any more",
    4013: "the intents are invalid: check DISCORD_INTENTS",
    4014: "an intent is not enabled: switch on Message Content for the bot in the developer portal",
}
_SESSION_ENDED: Final = frozenset({4007, 4009})


@dataclass(frozen=True, slots=True)
class Send:
    """Send a frame."""

    frame: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StartHeart:
    """Beat every ``interval`` seconds, first after a random part of it."""

    interval: float


@dataclass(frozen=True, slots=True)
class Established:
    """The session works: a new one after READY, the old one after RESUMED."""

    session: Session
    sequence: int
    resumed: bool


@dataclass(frozen=True, slots=True)
class Deliver:
    """An event; ``sequence`` is its number in the session."""

    event: str
    data: dict[str, Any]
    sequence: int


@dataclass(frozen=True, slots=True)
class Skip:
    """A frame or event that cannot be used; ``sequence`` if it had one."""

    reason: str
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Close the connection with a code that keeps the session, and go on as told, at once or after a ``wait``."""

    then: Reconnect
    wait: bool = False


type Action = Send | StartHeart | Established | Deliver | Skip | Leave


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an IDENTIFY says."""

    token: str = field(repr=False)
    intents: int
    shard: tuple[int, int]


class Conversation:
    """One connection's side of the protocol; begins with the session to resume, or None."""

    def __init__(self, credentials: Credentials, session: Session | None, sequence: int | None) -> None:
        self._credentials = credentials
        self.session = session
        self.sequence = sequence
        self._acknowledged = True

    def receive(self, text: str | bytes) -> Iterator[Action]:
        """What to do about a frame; frames of unknown kinds ask for nothing."""
        try:
            frame = json.loads(text)
        except ValueError:
            # Lost track of the stream: what comes next cannot be trusted, the server still can tell it again.
            yield Leave(Reconnect.RESUME, wait=True)
            return
        if not isinstance(frame, dict):
            yield Skip("not an object")
            return
        match frame.get("op"):
            case Op.HELLO:
                yield from self._hello(frame.get("d"))
            case Op.DISPATCH:
                yield from self._dispatch(frame)
            case Op.HEARTBEAT:
                yield self._heartbeat()
            case Op.HEARTBEAT_ACK:
                self._acknowledged = True
            case Op.RECONNECT:
                yield Leave(Reconnect.RESUME)
            case Op.INVALID_SESSION:
                yield Leave(Reconnect.RESUME if frame.get("d") is True else Reconnect.IDENTIFY, wait=True)
            case _:
                yield Skip("unknown opcode")

    def beat(self, *, listening: bool) -> Action:
        """The next heartbeat, or leaving when the last one was not acknowledged though we listened."""
        if listening and not self._acknowledged:
            return Leave(Reconnect.RESUME)
        self._acknowledged = False
        return self._heartbeat()

    def _heartbeat(self) -> Send:
        return Send({"op": Op.HEARTBEAT, "d": self.sequence})

    def _hello(self, data: Any) -> Iterator[Action]:
        interval = data.get("heartbeat_interval") if isinstance(data, dict) else None
        if isinstance(interval, bool) or not isinstance(interval, int | float) or interval <= 0:
            yield Leave(Reconnect.RESUME, wait=True)
            return
        yield StartHeart(interval / 1000)
        yield Send(self._identify() if self.session is None else self._resume(self.session))

    def _identify(self) -> dict[str, Any]:
        properties = {"os": "linux", "browser": "discord-agent", "device": "discord-agent"}
        data = {
            "token": self._credentials.token,
            "intents": self._credentials.intents,
            "shard": list(self._credentials.shard),
            "properties": properties,
        }
        return {"op": Op.IDENTIFY, "d": data}

    def _resume(self, session: Session) -> dict[str, Any]:
        data = {"token": self._credentials.token, "session_id": session.id, "seq": self.sequence or 0}
        return {"op": Op.RESUME, "d": data}

    def _dispatch(self, frame: dict[str, Any]) -> Iterator[Action]:
        sequence, event, data = frame.get("s"), frame.get("t"), frame.get("d")
        if isinstance(sequence, bool) or not isinstance(sequence, int):
            yield Skip("a dispatch without a sequence number")
            return
        self.sequence = sequence
        if not isinstance(event, str) or not isinstance(data, dict):
            yield Skip("a dispatch without a name or an object", sequence)
        elif event == "READY":
            yield self._ready(data, sequence)
        elif event == "RESUMED" and self.session is not None:
            yield Established(self.session, sequence, resumed=True)
        else:
            yield Deliver(event, data, sequence)

    def _ready(self, data: dict[str, Any], sequence: int) -> Action:
        identifier, resume_url = data.get("session_id"), data.get("resume_gateway_url")
        if not isinstance(identifier, str) or not isinstance(resume_url, str):
            return Leave(Reconnect.IDENTIFY, wait=True)
        self.session = Session(identifier, resume_url)
        return Established(self.session, sequence, resumed=False)


def after_close(code: int | None) -> Reconnect:
    """How to go on after the server closed with a code, or the connection broke (None)."""
    if code in _HOPELESS:
        return Reconnect.NEVER
    return Reconnect.IDENTIFY if code in _SESSION_ENDED else Reconnect.RESUME


def remedy(code: int | None) -> str:
    """What a person must mend after a close code that forbids reconnecting."""
    return _HOPELESS.get(code or 0, f"close code {code}")


def gateway_address(url: str) -> str:
    """The address to connect to: version and encoding added, path and other parameters kept."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"v": "10", "encoding": "json"}
    return urlunsplit(parts._replace(scheme=_SCHEMES.get(parts.scheme, parts.scheme), query=urlencode(query)))


_SCHEMES: Final = {"http": "ws", "https": "wss"}
