"""The gateway, version 10: identify, heartbeats, dispatches, resume, and the close codes clients must live with."""

import asyncio
import json
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from devstack.discord import sessions
from devstack.discord.errors import Json
from devstack.discord.limits import Counters
from devstack.discord.payloads import MESSAGE_CONTENT_FLAG, Payloads
from devstack.discord.records import DM, Channel, User
from devstack.discord.seed import GUILD_ID
from devstack.discord.sessions import Close, Session
from devstack.discord.world import Event, World

DISPATCH: Final = 0
HEARTBEAT: Final = 1
IDENTIFY: Final = 2
PRESENCE: Final = 3
VOICE_STATE: Final = 4
RESUME: Final = 6
RECONNECT: Final = 7
REQUEST_MEMBERS: Final = 8
INVALID_SESSION: Final = 9
HELLO: Final = 10
HEARTBEAT_ACK: Final = 11

_IGNORED: Final = frozenset({PRESENCE, VOICE_STATE, REQUEST_MEMBERS})
_GRACE: Final = 1.5
"""A client is given up after this many heartbeat intervals without a heartbeat."""


class _Closing(Exception):
    """Ends a connection with a close code."""

    def __init__(self, code: int, reason: str, *, session_ends: bool = False) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason
        self.session_ends = session_ends


@dataclass(slots=True)
class _Connection:
    socket: WebSocket
    outbox: asyncio.Queue[str | Close]
    session: Session | None = None
    compressor: Any = None

    async def send_queued(self) -> None:
        """Send what is queued until told to close."""
        while True:
            item = await self.outbox.get()
            if isinstance(item, Close):
                await self.socket.close(item.code, item.reason)
                return
            if self.compressor is None:
                await self.socket.send_text(item)
            else:
                data = self.compressor.compress(item.encode()) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
                await self.socket.send_bytes(data)


@dataclass(slots=True)
class Gateway:
    """All sessions of the bot; ``acknowledges`` is switched off to play a dead peer."""

    world: World
    payloads: Payloads
    token: str
    base_url: str = ""
    acknowledges: bool = True
    identifies: int = 0
    resumes: int = 0
    _sessions: dict[str, Session] = field(default_factory=dict)
    _counters: Counters = field(init=False)

    def __post_init__(self) -> None:
        self._counters = Counters(self.world.now)
        self.world.listeners.append(self._on_event)

    @property
    def connected(self) -> tuple[Session, ...]:
        """The sessions with a connection."""
        return tuple(session for session in self._sessions.values() if session.outbox is not None)

    def description(self) -> Json:
        """The answer to GET /gateway/bot."""
        window = self.world.rules.identifies
        left, reset_after = self._counters.left("identify", window)
        return {
            "url": f"{self.base_url}/gateway",
            "shards": 1,
            "session_start_limit": {
                "total": window.requests,
                "remaining": left,
                "reset_after": int(reset_after * 1000),
                "max_concurrency": self.world.rules.identify_concurrency.requests,
            },
        }

    def send_raw(self, frame: str) -> None:
        """Send any text to every connection, malformed frames included."""
        for session in self.connected:
            if session.outbox is not None:
                session.outbox.put_nowait(frame)

    def ask_reconnect(self) -> None:
        """Send op 7 to every connection."""
        self.send_raw(json.dumps({"op": RECONNECT, "d": None}))

    def invalidate(self, *, resumable: bool) -> None:
        """Send op 9 to every connection."""
        for session in self.connected:
            if not resumable:
                self._sessions.pop(session.id)
            if session.outbox is not None:
                session.outbox.put_nowait(json.dumps({"op": INVALID_SESSION, "d": resumable}))

    def drop(self, code: int) -> None:
        """Close every connection with a code; the sessions stay."""
        for session in self.connected:
            if session.outbox is not None:
                session.outbox.put_nowait(Close(code))

    def forget(self) -> None:
        """End every session; its connection stays silent from now on."""
        self._sessions.clear()

    def dispatch(self, name: str, data: Json, channel: Channel) -> bool:
        """Send an event of no intent; False if nobody is connected."""
        event = Event(name, channel, data)
        takers = [session for session in self.connected if session.wants(event)]
        for session in takers:
            session.dispatch(name, data)
        return bool(takers)

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection until it ends."""
        await socket.accept()
        query = socket.query_params
        connection = _Connection(socket, asyncio.Queue())
        if query.get("compress") == "zlib-stream":
            connection.compressor = zlib.compressobj()
        sender = asyncio.create_task(connection.send_queued())
        try:
            _check_query(query)
            interval = self.world.rules.heartbeat_interval
            _queue(connection, HELLO, {"heartbeat_interval": int(interval * 1000)})
            await self._receive(connection, sender, interval * _GRACE)
        except _Closing as closing:
            self._leave(connection, session_ends=closing.session_ends)
            connection.outbox.put_nowait(Close(closing.code, closing.reason))
            await asyncio.gather(sender, return_exceptions=True)
        except WebSocketDisconnect as gone:
            self._leave(connection, session_ends=gone.code in {1000, 1001})
        finally:
            self._leave(connection, session_ends=False)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _receive(self, connection: _Connection, sender: "asyncio.Task[None]", patience: float) -> None:
        sends = Counters(self.world.now)
        last_heartbeat = asyncio.get_running_loop().time()
        while True:
            left = last_heartbeat + patience - asyncio.get_running_loop().time()
            incoming = asyncio.create_task(connection.socket.receive())
            await asyncio.wait({incoming, sender}, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            if not incoming.done():
                incoming.cancel()
                if sender.done():
                    return
                raise _Closing(4009, "Session timed out.", session_ends=True)
            received = incoming.result()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1006))
            if sends.take("sends", self.world.rules.gateway_sends):
                raise _Closing(4008, "You are being rate limited.")
            frame = self._parse(received)
            if frame["op"] == HEARTBEAT:
                last_heartbeat = asyncio.get_running_loop().time()
            self._handle(connection, frame)

    def _parse(self, received: Any) -> Json:
        raw = received.get("text") or received.get("bytes") or b""
        if len(raw if isinstance(raw, bytes) else raw.encode()) > self.world.rules.gateway_payload:
            raise _Closing(4002, "Payload too large.")
        try:
            frame = json.loads(raw)
        except ValueError:
            raise _Closing(4002, "Error while decoding payload.") from None
        if not isinstance(frame, dict) or not isinstance(frame.get("op"), int):
            raise _Closing(4002, "Error while decoding payload.")
        return frame

    def _handle(self, connection: _Connection, frame: Json) -> None:
        match frame["op"]:
            case op if op == HEARTBEAT:
                if self.acknowledges:
                    _queue(connection, HEARTBEAT_ACK, None)
            case op if op == IDENTIFY:
                self._identify(connection, frame.get("d"))
            case op if op == RESUME:
                self._resume(connection, frame.get("d"))
            case op if op in _IGNORED:
                if connection.session is None:
                    raise _Closing(4003, "Not authenticated.")
            case _:
                raise _Closing(4001, "Unknown opcode.")

    def _identify(self, connection: _Connection, data: Any) -> None:
        if connection.session is not None:
            raise _Closing(4005, "Already authenticated.")
        if not isinstance(data, dict) or not isinstance(data.get("properties"), dict):
            raise _Closing(4002, "Error while decoding payload.")
        if str(data.get("token", "")).removeprefix("Bot ") != self.token:
            raise _Closing(4004, "Authentication failed.", session_ends=True)
        intents, shard = self._check_intents(data.get("intents")), _check_shard(data.get("shard"))
        rules = self.world.rules
        if self._counters.take("identify", rules.identifies):
            self._sessions.clear()
            raise _Closing(4004, "Too many sessions were started.", session_ends=True)
        if self._counters.take(
            f"identify {shard[0] % rules.identify_concurrency.requests}", rules.identify_concurrency
        ):
            _queue(connection, INVALID_SESSION, d=False)
            return
        self.identifies += 1
        session = Session(intents, shard, deque(maxlen=rules.replay_buffer), outbox=connection.outbox)
        self._sessions[session.id] = connection.session = session
        session.dispatch("READY", self._ready(session))
        if intents & sessions.GUILDS and (int(GUILD_ID) >> 22) % shard[1] == shard[0]:
            session.dispatch("GUILD_CREATE", self._guild())

    def _resume(self, connection: _Connection, data: Any) -> None:
        if connection.session is not None:
            raise _Closing(4005, "Already authenticated.")
        if not isinstance(data, dict) or not isinstance(data.get("seq"), int):
            raise _Closing(4002, "Error while decoding payload.")
        if str(data.get("token", "")).removeprefix("Bot ") != self.token:
            raise _Closing(4004, "Authentication failed.", session_ends=True)
        self._forget_lost()
        session = self._sessions.get(str(data.get("session_id")))
        if session is None:
            _queue(connection, INVALID_SESSION, d=False)
            return
        sequence = data["seq"]
        if sequence > session.sequence:
            self._sessions.pop(session.id)
            raise _Closing(4007, "Invalid seq.", session_ends=True)
        if not session.covers(sequence):
            self._sessions.pop(session.id)
            _queue(connection, INVALID_SESSION, d=False)
            return
        if session.outbox is not None:
            session.outbox.put_nowait(Close(4000, "Resumed elsewhere."))
        self.resumes += 1
        for missed in session.missed_since(sequence):
            connection.outbox.put_nowait(missed)
        session.outbox, session.lost_at = connection.outbox, None
        connection.session = session
        session.dispatch("RESUMED", {"_trace": []})

    def _check_intents(self, intents: Any) -> int:
        if isinstance(intents, bool) or not isinstance(intents, int) or intents & ~sessions.KNOWN:
            raise _Closing(4013, "Invalid intent(s).", session_ends=True)
        privileged = sessions.GUILD_MEMBERS | sessions.GUILD_PRESENCES
        privileged |= 0 if self.payloads.reads_content else sessions.MESSAGE_CONTENT
        if intents & privileged:
            raise _Closing(4014, "Disallowed intent(s).", session_ends=True)
        return intents

    def _ready(self, session: Session) -> Json:
        bot = self.world.access.user(self.world.bot_id)
        flags = MESSAGE_CONTENT_FLAG if self.payloads.reads_content else 0
        return {
            "v": 10,
            "user": self.payloads.user(bot) | {"verified": True, "mfa_enabled": False},
            "guilds": [{"id": GUILD_ID, "unavailable": True}],
            "session_id": session.id,
            "resume_gateway_url": f"{self.base_url}/gateway/resume",
            "shard": list(session.shard),
            "application": {"id": self.world.bot_id, "flags": flags},
            "session_type": "normal",
        }

    def _guild(self) -> Json:
        bot = self.world.access.user(self.world.bot_id)
        channels = [channel for channel in self.world.store.everything(Channel) if channel.guild_id]
        visible = [channel for channel in channels if self.world.access.sees(bot, channel)]
        return {
            **self.payloads.guild(),
            "unavailable": False,
            "large": False,
            "member_count": len(self.world.store.everything(User)),
            "members": [self.payloads.member(bot, with_user=True)],
            "channels": [self.payloads.channel(channel) for channel in visible if not channel.is_thread],
            "threads": [self.payloads.channel(c) for c in visible if c.is_thread and not c.archived],
        }

    def _on_event(self, event: Event) -> None:
        bot = self.world.access.user(self.world.bot_id)
        is_hidden = event.message is not None and event.message.visible_to is not None
        if is_hidden or not self.world.access.sees(bot, event.channel):
            return
        self._forget_lost()
        for session in tuple(self._sessions.values()):
            if session.wants(event):
                session.dispatch(event.name, self._data(event, session))

    def _data(self, event: Event, session: Session) -> Json:
        if event.data or event.message is None:
            return event.data
        message = event.message
        payload = self.payloads.message(message, viewer=self.world.bot_id)
        if event.channel.guild_id:
            author = self.world.access.user(message.author_id)
            payload |= {"guild_id": event.channel.guild_id, "member": self.payloads.member(author)}
        payload["channel_type"] = event.channel.type
        is_direct = event.channel.type == DM
        return session.hide_content(message, payload, bot_id=self.world.bot_id, is_direct=is_direct)

    def _leave(self, connection: _Connection, *, session_ends: bool) -> None:
        session = connection.session
        if session is None or session.outbox is not connection.outbox:
            return
        session.outbox, session.lost_at = None, self.world.now()
        if session_ends:
            self._sessions.pop(session.id, None)

    def _forget_lost(self) -> None:
        oldest = self.world.now() - self.world.rules.resume_window
        for session in tuple(self._sessions.values()):
            if session.lost_at is not None and session.lost_at < oldest:
                del self._sessions[session.id]


def _queue(connection: _Connection, op: int, d: Any) -> None:
    connection.outbox.put_nowait(json.dumps({"op": op, "d": d, "s": None, "t": None}))


def _check_shard(shard: Any) -> tuple[int, int]:
    if shard is None:
        return 0, 1
    is_pair = isinstance(shard, list) and len(shard) == 2 and all(type(number) is int for number in shard)
    if not is_pair or not 0 <= shard[0] < shard[1]:
        raise _Closing(4010, "Invalid shard.", session_ends=True)
    return shard[0], shard[1]


def _check_query(query: Mapping[str, str]) -> None:
    if query.get("v", "10") != "10":
        raise _Closing(4012, "Invalid API version.")
    if query.get("encoding", "json") != "json":
        raise _Closing(4002, "Only the JSON encoding is offered.")
