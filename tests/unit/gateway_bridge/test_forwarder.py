import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pytest

from discord_agent.domain.errors import LeaseLost, StateUnavailable
from discord_agent.envelope import Envelope
from gateway_bridge.counters import Counters
from gateway_bridge.forwarder import Forwarder, Item
from gateway_bridge.state import State

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """A queue and a store that write down what reaches them, in order."""

    happened: list[str] = field(default_factory=list)
    queue_faults: int = 0
    save_faults: list[Exception] = field(default_factory=list)

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        if self.queue_faults:
            self.queue_faults -= 1
            raise StateUnavailable("down")
        envelope.write()
        self.happened.append(f"queued {envelope.data['id']}")

    def save(self, state: State) -> None:
        if self.save_faults:
            raise self.save_faults.pop(0)
        self.happened.append(f"saved {state.sequence}")


def reach(sequence: int, state: State) -> State:
    return state.reached(sequence)


def event(sequence: int, *, forwarded: bool = True, urgent: bool = False, content: str = "") -> Item:
    data = {"id": str(sequence), "content": content}
    envelope = Envelope.of_dispatch("MESSAGE_CREATE", data, NOW) if forwarded else None
    return Item(partial(reach, sequence), envelope, urgent=urgent)


def play(
    world: World, scene: Callable[[Forwarder], Awaitable[None]], notice: Callable[[Forwarder], None] | None = None
) -> tuple[Forwarder, Counters]:
    """Play a scene against a running forwarder; ``notice`` sees it whenever it pauses."""
    counters = Counters()

    async def pause(seconds: float) -> None:
        if notice:
            notice(forwarder)
        await asyncio.sleep(0)

    forwarder = Forwarder(world, world, State(), counters, lambda: NOW, pause)

    async def run() -> None:
        running = asyncio.create_task(forwarder.run())
        try:
            async with asyncio.timeout(5):
                await scene(forwarder)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    return forwarder, counters


def test_the_state_is_stored_only_after_the_queue_took_the_events() -> None:
    world = World()

    async def scene(forwarder: Forwarder) -> None:
        for sequence in (1, 2, 3):
            await forwarder.offer(event(sequence))
        assert await forwarder.flush(3)

    forwarder, counters = play(world, scene)
    assert world.happened == ["queued 1", "queued 2", "queued 3", "saved 3"]
    assert forwarder.state.sequence == 3
    assert counters.counts["forwarded"] == 3


def test_a_queue_that_is_down_is_waited_for_in_order_and_nothing_is_stored_meanwhile() -> None:
    world = World(queue_faults=2)
    ready: list[bool] = []

    async def scene(forwarder: Forwarder) -> None:
        await forwarder.offer(event(1))
        await forwarder.offer(event(2))
        assert await forwarder.flush(4)
        ready.append(forwarder.queue_works)

    _, counters = play(world, scene, lambda forwarder: ready.append(forwarder.queue_works))
    assert world.happened == ["queued 1", "queued 2", "saved 2"]
    assert counters.counts["queue_failures"] == 2
    assert ready == [False, False, True]


def test_a_flush_gives_up_when_the_queue_stays_down_and_nothing_was_stored() -> None:
    world = World(queue_faults=10**9)

    async def scene(forwarder: Forwarder) -> None:
        await forwarder.offer(event(1))
        assert not await forwarder.flush(0.05)

    forwarder, _ = play(world, scene)
    assert (world.happened, forwarder.state) == ([], State())


def test_events_that_do_not_matter_only_move_the_state_and_are_stored_at_the_end() -> None:
    world = World()

    async def scene(forwarder: Forwarder) -> None:
        await forwarder.offer(event(1, urgent=True))
        await forwarder.offer(event(2, forwarded=False))
        assert await forwarder.flush(3)

    play(world, scene)
    assert world.happened[0] == "queued 1"
    assert world.happened[-1] == "saved 2"


def test_an_event_no_queue_would_ever_take_is_skipped_and_counted() -> None:
    world = World()

    async def scene(forwarder: Forwarder) -> None:
        await forwarder.offer(event(1, content="\ud800"))
        await forwarder.offer(event(2))
        assert await forwarder.flush(3)

    forwarder, counters = play(world, scene)
    assert world.happened[0] == "queued 2"
    assert counters.counts["unusable"] == 1
    assert forwarder.state.sequence == 2


def test_a_state_that_could_not_be_stored_is_stored_with_the_next() -> None:
    world = World(save_faults=[StateUnavailable("down")])

    async def scene(forwarder: Forwarder) -> None:
        await forwarder.offer(event(1))
        assert await forwarder.flush(3)

    _, counters = play(world, scene)
    assert world.happened == ["queued 1", "saved 1"]
    assert counters.counts["save_failures"] == 1


def test_a_lost_lease_ends_the_forwarding() -> None:
    world = World(save_faults=[LeaseLost("taken over")])

    async def run() -> None:
        forwarder = Forwarder(world, world, State(), Counters(), lambda: NOW)
        await forwarder.offer(event(1))
        async with asyncio.timeout(5):
            await forwarder.run()

    with pytest.raises(LeaseLost):
        asyncio.run(run())


def test_a_full_line_makes_the_reader_wait_instead_of_dropping() -> None:
    world = World(queue_faults=1)
    offered = 0

    async def scene(forwarder: Forwarder) -> None:
        nonlocal offered
        for sequence in range(1, 1001):
            await forwarder.offer(event(sequence))
            offered += 1
            if sequence == 600:
                assert len(world.happened) >= 50
        assert await forwarder.flush(4)

    play(world, scene)
    assert [line for line in world.happened if line.startswith("queued")] == [f"queued {n}" for n in range(1, 1001)]
    assert offered == 1000
