"""From the gateway to the queue, in order: the state moves on only after the queue took the event."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from discord_agent.domain.errors import InvalidEvent, LeaseLost, StateUnavailable
from discord_agent.domain.ids import snowflake_time_ms
from discord_agent.envelope import Envelope
from discord_agent.ports import InboundQueue
from gateway_bridge.counters import Counters
from gateway_bridge.state import State

_LOG = logging.getLogger(__name__)
_CAPACITY: Final = 500
_AT_ONCE: Final = 20
"""Events between two writes of the state, at most; a crash in between repeats them, and the queue drops repeats."""
_PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_LONGEST_UNSAVED: Final = 15.0

type Change = Callable[[State], State]


class Saves(Protocol):
    """What the forwarder needs of the store."""

    def save(self, state: State) -> None:
        """Store the state."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to forward, or only a step of the state; ``urgent`` steps are stored at once."""

    change: Change
    envelope: Envelope | None = None
    occurrence: str = ""
    urgent: bool = False


class Forwarder:
    """The bounded line between reader and queue; a full line makes the reader wait instead of dropping."""

    def __init__(
        self,
        queue: InboundQueue,
        saves: Saves,
        state: State,
        counters: Counters,
        now: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._queue = queue
        self._saves = saves
        self._state = state
        self._counters = counters
        self._now = now
        self._pause = pause
        self._line: asyncio.Queue[Item] = asyncio.Queue(_CAPACITY)
        self._unsaved = False
        self._saved_at = 0.0
        self.queue_works = True

    @property
    def state(self) -> State:
        """What the queue has taken."""
        return self._state

    async def offer(self, item: Item) -> None:
        """Put an item at the end of the line; waits while the line is full."""
        await self._line.put(item)

    async def run(self) -> None:
        """Forward for ever. LeaseLost when another process took over."""
        while True:
            try:
                first = await asyncio.wait_for(self._line.get(), _LONGEST_UNSAVED)
            except TimeoutError:
                await self._save()
                continue
            await self._forward([first, *self._further()])

    async def flush(self, patience: float) -> bool:
        """Wait until the line is empty and stored; whether that was so in time. ``run`` must be running."""
        try:
            await asyncio.wait_for(self._line.join(), patience)
            await self._save()
        except (TimeoutError, LeaseLost):
            return False
        return not self._unsaved

    def _further(self) -> list[Item]:
        return [self._line.get_nowait() for _ in range(min(self._line.qsize(), _AT_ONCE - 1))]

    async def _forward(self, items: list[Item]) -> None:
        urgent = False
        for item in items:
            if item.envelope is not None:
                await self._send(item.envelope, item.occurrence)
            self._state = item.change(self._state)
            self._unsaved = True
            urgent = urgent or item.urgent or item.envelope is not None
        if urgent or asyncio.get_running_loop().time() - self._saved_at > _LONGEST_UNSAVED:
            await self._save()
        for _ in items:
            self._line.task_done()

    async def _send(self, envelope: Envelope, occurrence: str) -> None:
        attempt = 0
        while True:
            try:
                await asyncio.to_thread(self._queue.put, envelope, occurrence=occurrence)
            except StateUnavailable as error:
                self._counters.count("queue_failures")
                self.queue_works = False
                _LOG.warning("the queue does not take events; waiting", extra={"attempt": attempt, "error": str(error)})
                await self._pause(_PAUSES[min(attempt, len(_PAUSES) - 1)])
                attempt += 1
            except InvalidEvent:
                self._counters.count("unusable")
                _LOG.exception("an event cannot be queued and is skipped", extra={"event": envelope.event})
                return
            else:
                self.queue_works = True
                self._note(envelope)
                return

    def _note(self, envelope: Envelope) -> None:
        self._counters.count("forwarded")
        message = envelope.data.get("id")
        if envelope.event == "MESSAGE_CREATE" and isinstance(message, str) and message.isdecimal():
            self._counters.lag_seconds = self._now().timestamp() - snowflake_time_ms(message) / 1000

    async def _save(self) -> None:
        if not self._unsaved:
            return
        try:
            await asyncio.to_thread(self._saves.save, self._state)
        except StateUnavailable:
            # The events are safe in the queue; a later write carries this state too.
            self._counters.count("save_failures")
            _LOG.exception("the state was not stored")
        else:
            self._unsaved = False
            self._saved_at = asyncio.get_running_loop().time()
