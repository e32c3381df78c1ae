"""The bridge as a whole: lease, session, forwarding, backfill, shutdown."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from discord_agent.adapters.discord.client import Call
from discord_agent.domain import measures
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable, LeaseLost, PermanentError, StateUnavailable
from discord_agent.envelope import Envelope
from discord_agent.ports import InboundQueue, Metrics
from gateway_bridge.backfill import Backfill, Rest
from gateway_bridge.connection import Connection, Ending, Happening, Haste
from gateway_bridge.conversation import (
    Conversation,
    Credentials,
    Deliver,
    Established,
    Reconnect,
    Skip,
    remedy,
)
from gateway_bridge.counters import Counters
from gateway_bridge.forwarder import Forwarder, Item
from gateway_bridge.relevance import Relevance
from gateway_bridge.state import LastSeen, Session, State, last_seen
from gateway_bridge.store import ShardStore

_LOG = logging.getLogger(__name__)
_BACKFILL_TRIES: Final = 5
_RESUME_TRIES: Final = 2
_UNKNOWN_RESET: Final = 3600.0


class GatewayRefused(PermanentError):
    """Discord forbids connecting again until a person mended something."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the bridge is, in seconds; ``identifies_kept`` session starts are never used up."""

    first_backoff: float = 1.0
    longest_backoff: float = 60.0
    invalid_session: tuple[float, float] = (1.0, 5.0)
    flush: float = 20.0
    report: float = 60.0
    lease: float = 10.0
    identifies_kept: int = 20


@dataclass(frozen=True, slots=True)
class Ports:
    """What the bridge speaks to."""

    queue: InboundQueue
    rest: Rest
    store: ShardStore
    metrics: Metrics
    now: Callable[[], datetime]


class Bridge:
    """One shard, from the gateway to the queue, until ``stop`` is set."""

    def __init__(
        self, ports: Ports, credentials: Credentials, relevance: Relevance, counters: Counters, pace: Pace
    ) -> None:
        self._ports = ports
        self._credentials = credentials
        self._relevance = relevance
        self._counters = counters
        self._pace = pace
        self._forwarder: Forwarder | None = None
        self._connected = False
        self._backoff = pace.first_backoff

    def conditions(self) -> dict[str, bool]:
        """What must hold to be ready."""
        queue_works = self._forwarder is not None and self._forwarder.queue_works
        return {"gateway": self._connected, "queue": queue_works}

    async def run(self, stop: asyncio.Event) -> None:
        """Serve the shard. Raises GatewayRefused, DiscordRefused and LeaseLost, after everything is put in order."""
        stopping = asyncio.create_task(stop.wait())
        acquiring = asyncio.create_task(self._acquire())
        try:
            await asyncio.wait({acquiring, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if acquiring.done():
                await self._serve(acquiring.result(), stopping)
        finally:
            await _cancel([stopping, acquiring])

    async def _serve(self, state: State, stopping: "asyncio.Task[bool]") -> None:
        forwarder = Forwarder(self._ports.queue, self._ports.store, state, self._counters, self._ports.now)
        self._forwarder = forwarder
        forwarding = asyncio.create_task(forwarder.run())
        others = [
            asyncio.create_task(work) for work in (self._connect_for_ever(forwarder), self._keep(), self._report())
        ]
        try:
            await asyncio.wait({forwarding, stopping, *others}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connected = False
            failed = [task for task in (forwarding, *others) if task.done()]
            await _cancel(others)
            if not forwarding.done() and not await forwarder.flush(self._pace.flush):
                _LOG.error("stopping with events that were not queued; the next process is told them again")
            await _cancel([forwarding])
            await self._release()
            _LOG.info("stopped", extra=self._counters.snapshot())
        for task in failed:
            task.result()

    async def _acquire(self) -> State:
        told = False
        while True:
            try:
                state = await asyncio.to_thread(self._ports.store.acquire, self._pace.lease)
            except StateUnavailable:
                state = None
                _LOG.exception("the lease cannot be taken")
            if state is not None:
                return state
            if not told:
                _LOG.info("another process serves this shard; waiting for its lease")
                told = True
            await asyncio.sleep(self._pace.lease / 10)

    async def _keep(self) -> None:
        """Renew the lease; LeaseLost when that failed for as long as it lasts."""
        loop = asyncio.get_running_loop()
        held_until = loop.time() + self._pace.lease
        while True:
            await asyncio.sleep(self._pace.lease / 3)
            asked = loop.time()
            try:
                await asyncio.to_thread(self._ports.store.renew, self._pace.lease)
                held_until = asked + self._pace.lease
            except StateUnavailable as error:
                _LOG.exception("the lease was not renewed")
                if loop.time() >= held_until:
                    raise LeaseLost("the lease ran out because it could not be renewed") from error

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._pace.report)
            self._ports.metrics.record(measures.BRIDGE_CONNECTED, float(all(self.conditions().values())))
            _LOG.info("metrics", extra=self._counters.snapshot())

    async def _release(self) -> None:
        try:
            await asyncio.to_thread(self._ports.store.release)
        except (LeaseLost, StateUnavailable):
            _LOG.exception("the lease was not released; it expires by itself")

    async def _connect_for_ever(self, forwarder: Forwarder) -> None:
        session, sequence = forwarder.state.session, forwarder.state.sequence
        unreached = 0
        while True:
            address = await self._address(session, unreached)
            conversation = Conversation(self._credentials, session, sequence)
            ending = await Connection(conversation, partial(self._handle, forwarder, conversation)).run(address)
            self._connected = False
            session, sequence = conversation.session, conversation.sequence
            unreached = 0 if ending.reached else unreached + 1
            _LOG.info("disconnected", extra={"code": ending.code, "then": ending.then.value})
            if ending.then is Reconnect.NEVER:
                raise GatewayRefused(f"Discord's gateway: {remedy(ending.code)}")
            if ending.then is Reconnect.IDENTIFY:
                session, sequence = None, None
            await self._pause(ending)

    async def _pause(self, ending: Ending) -> None:
        if ending.haste is Haste.NONE:
            await asyncio.sleep(random.uniform(*self._pace.invalid_session))  # noqa: S311 - no secret
        if ending.haste is not Haste.ALL:
            await asyncio.sleep(self._backoff * random.uniform(0.5, 1))  # noqa: S311 - no secret
        self._backoff = min(self._backoff * 2, self._pace.longest_backoff)

    async def _address(self, session: Session | None, unreached: int) -> str:
        """Where to connect: the session's own address, unless it does not answer; a new session needs a start."""
        if session is None:
            return await self._address_to_identify()
        if unreached < _RESUME_TRIES:
            return session.resume_url
        return (await self._gateway())[0]

    async def _address_to_identify(self) -> str:
        """Where to start a session, once there are session starts to spare."""
        while True:
            url, remaining, reset_after = await self._gateway()
            if remaining > self._pace.identifies_kept:
                self._counters.count("identifies")
                return url
            _LOG.error("too few session starts are left", extra={"remaining": remaining, "reset_after": reset_after})
            await asyncio.sleep(reset_after)

    async def _gateway(self) -> tuple[str, int, float]:
        """Address, session starts left, and seconds until there are more."""
        while True:
            try:
                return _start_limit(await asyncio.to_thread(self._ports.rest.request, Call("GET", "/gateway/bot")))
            except DiscordUnavailable as error:
                _LOG.exception("the gateway's address is not to be had")
                await asyncio.sleep(max(self._backoff, error.retry_after))
                self._backoff = min(self._backoff * 2, self._pace.longest_backoff)

    async def _handle(self, forwarder: Forwarder, conversation: Conversation, happening: Happening) -> None:
        match happening:
            case Established(session, sequence, resumed):
                self._counters.count("resumes" if resumed else "sessions")
                if not resumed:
                    await self._backfill(forwarder)
                await forwarder.offer(Item(lambda state: state.started(session, sequence), urgent=True))
                self._connected = True
                self._backoff = self._pace.first_backoff
                _LOG.info("connected", extra={"resumed": resumed, "sequence": sequence})
            case Deliver(event, data, sequence):
                session_id = conversation.session.id if conversation.session else ""
                await self._deliver(forwarder, event, data, f"{session_id}/{sequence}", sequence)
            case Skip(reason, skipped):
                self._counters.count("malformed")
                _LOG.warning("a frame was skipped", extra={"reason": reason})
                if skipped is not None:
                    await forwarder.offer(Item(partial(_advanced, sequence=skipped, seen=None)))

    async def _deliver(
        self, forwarder: Forwarder, event: str, data: dict[str, Any], occurrence: str, sequence: int | None
    ) -> None:
        matters = self._relevance.matters(event, data)
        if not matters:
            self._counters.count("skipped")
        envelope = Envelope.of_dispatch(event, data, self._ports.now()) if matters else None
        change = partial(_advanced, sequence=sequence, seen=last_seen(event, data))
        await forwarder.offer(Item(change, envelope, occurrence))

    async def _backfill(self, forwarder: Forwarder) -> None:
        """Put what was missed before everything new; the old session stays stored until all of it is queued."""
        backfill = Backfill(self._ports.rest)
        for channel_id, seen in forwarder.state.channels.items():
            for message in await self._missed(backfill, forwarder, channel_id, seen):
                self._counters.count("backfilled")
                await self._deliver(forwarder, "MESSAGE_CREATE", message, "", None)

    async def _missed(
        self, backfill: Backfill, forwarder: Forwarder, channel_id: str, seen: LastSeen
    ) -> list[dict[str, Any]]:
        for attempt in range(_BACKFILL_TRIES):
            try:
                return await asyncio.to_thread(backfill.missed, channel_id, seen)
            except DiscordRefused:
                await forwarder.offer(Item(lambda state: state.forgot(channel_id)))
                return []
            except DiscordUnavailable as error:
                _LOG.exception("missed messages are not to be had", extra={"channel": channel_id})
                await asyncio.sleep(max(self._pace.first_backoff * 2**attempt, error.retry_after))
        self._counters.count("backfills_given_up")
        return []


def _advanced(state: State, *, sequence: int | None, seen: tuple[str, LastSeen] | None) -> State:
    moved = state if sequence is None else state.reached(sequence)
    return moved if seen is None else moved.saw(*seen)


def _start_limit(answer: Any) -> tuple[str, int, float]:
    """Address, session starts left, and seconds until there are more; a missing limit counts as none left."""
    details = answer if isinstance(answer, dict) else {}
    url, limit = details.get("url"), details.get("session_start_limit")
    if not isinstance(url, str):
        raise GatewayRefused("Discord's answer to GET /gateway/bot names no address")
    remaining, reset_after = (limit.get("remaining"), limit.get("reset_after")) if isinstance(limit, dict) else (0, 0)
    if not (isinstance(remaining, int) and isinstance(reset_after, int | float)):
        return url, 0, _UNKNOWN_RESET
    return url, remaining, max(reset_after / 1000, 1.0)


async def _cancel(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
