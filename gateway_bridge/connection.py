"""One WebSocket connection, driven by a Conversation."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from gateway_bridge.conversation import (
    KEEPS_SESSION,
    Conversation,
    Deliver,
    Established,
    Leave,
    Reconnect,
    Send,
    Skip,
    StartHeart,
    after_close,
    gateway_address,
)

_LOG = logging.getLogger(__name__)
_OPEN_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0

type Happening = Established | Deliver | Skip
type Handle = Callable[[Happening], Awaitable[None]]


class Haste(Enum):
    """How soon to connect again."""

    ALL = "at once"
    SOME = "after the backoff"
    NONE = "after the wait that Discord asks for, and the backoff"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection ended: the server's close code if it gave one, and how to go on."""

    then: Reconnect
    haste: Haste = Haste.SOME
    code: int | None = None
    reached: bool = True


class Connection:
    """Reads one event after the other; ``handle`` makes it wait when the queue is slow, the heart keeps beating."""

    def __init__(self, conversation: Conversation, handle: Handle, jitter: Callable[[], float] = random.random) -> None:
        self._conversation = conversation
        self._handle = handle
        self._jitter = jitter
        self._listening = True
        self._heart: asyncio.Task[None] | None = None

    async def run(self, url: str) -> Ending:
        """Speak until the connection ends; cancelling closes it with a code that keeps the session."""
        try:
            socket = await connect(
                gateway_address(url),
                open_timeout=_OPEN_SECONDS,
                close_timeout=_CLOSE_SECONDS,
                ping_interval=None,  # the gateway has heartbeats of its own
                max_size=None,  # a guild with everything in it has no known limit, and Discord is not an attacker
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            _LOG.warning("the gateway is not reached", extra={"error": type(error).__name__})
            return Ending(Reconnect.RESUME, reached=False)
        try:
            return await self._converse(socket)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            return Ending(after_close(code), code=code)
        finally:
            if self._heart is not None:
                self._heart.cancel()
            await socket.close(KEEPS_SESSION)

    async def _converse(self, socket: ClientConnection) -> Ending:
        while True:
            for action in self._conversation.receive(await socket.recv()):
                match action:
                    case Send(frame):
                        await socket.send(json.dumps(frame))
                    case StartHeart(interval):
                        self._start_heart(socket, interval)
                    case Leave(then, wait):
                        return Ending(then, Haste.NONE if wait else Haste.ALL)
                    case Established() | Deliver() | Skip():
                        await self._handled(action)

    async def _handled(self, happening: Happening) -> None:
        self._listening = False
        try:
            await self._handle(happening)
        finally:
            self._listening = True

    def _start_heart(self, socket: ClientConnection, interval: float) -> None:
        if self._heart is not None:
            self._heart.cancel()
        self._heart = asyncio.create_task(self._beat(socket, interval))

    async def _beat(self, socket: ClientConnection, interval: float) -> None:
        await asyncio.sleep(interval * self._jitter())
        try:
            while True:
                action = self._conversation.beat(listening=self._listening)
                if not isinstance(action, Send):
                    # The other side is dead; closing ends the reader too.
                    await socket.close(KEEPS_SESSION)
                    return
                await socket.send(json.dumps(action.frame))
                await asyncio.sleep(interval)
        except ConnectionClosed:
            return
