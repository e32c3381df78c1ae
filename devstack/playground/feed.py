"""What happens, pushed to every open page over one WebSocket."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from devstack.discord.app import Parts
from devstack.discord.errors import ApiError, Json
from devstack.discord.records import Message, User
from devstack.discord.world import Event
from devstack.playground.view import View

_UNKNOWN_USER: Final = 4401
_BACKLOG: Final = 1000
_TOO_SLOW: Final = 4408


@dataclass(slots=True)
class _Reader:
    user: User
    outbox: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_BACKLOG))
    overrun: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Feed:
    """All open pages; a page that falls far behind is closed and loads anew."""

    parts: Parts
    view: View
    _readers: list[_Reader] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts.world.listeners.append(self._on_event)

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it leaves."""
        await socket.accept()
        try:
            user = self.parts.world.access.user(socket.query_params.get("user", ""))
        except ApiError:
            await socket.close(_UNKNOWN_USER)
            return
        reader = _Reader(user)
        self._readers.append(reader)
        reader.outbox.put_nowait(json.dumps({"t": "READY"}))
        sending = asyncio.create_task(_send(socket, reader))
        leaving = asyncio.create_task(_wait_for_leave(socket))
        overrun = asyncio.create_task(reader.overrun.wait())
        try:
            await asyncio.wait({sending, leaving, overrun}, return_when=asyncio.FIRST_COMPLETED)
            if reader.overrun.is_set():
                await socket.close(_TOO_SLOW)
        finally:
            self._readers.remove(reader)
            for task in (sending, leaving, overrun):
                task.cancel()
            await asyncio.gather(sending, leaving, overrun, return_exceptions=True)

    def _on_event(self, event: Event) -> None:
        for reader in tuple(self._readers):
            hidden = event.message is not None and event.message.visible_to not in {None, reader.user.id}
            if hidden or not self.parts.world.access.sees(reader.user, event.channel):
                continue
            try:
                reader.outbox.put_nowait(json.dumps(self._told(event, reader.user)))
            except asyncio.QueueFull:
                reader.overrun.set()

    def _told(self, event: Event, user: User) -> Json:
        if event.name.startswith("MESSAGE_REACTION"):
            # The page redraws a message as a whole: one way to change it, whatever happened to it.
            message = self.parts.world.store.get(Message, event.data["message_id"])
            if message is not None:
                return {"t": "MESSAGE_UPDATE", "d": self.view.message(message, user)}
        if event.data or event.message is None:
            return {"t": event.name, "d": event.data}
        return {"t": event.name, "d": self.view.message(event.message, user)}


async def _send(socket: WebSocket, reader: _Reader) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.send_text(await reader.outbox.get())


async def _wait_for_leave(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
