"""A turn that dies anywhere, and two attempts at one turn that overlap anywhere."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discord_agent.domain.conversation import Message, ModelReply, ModelRequest, Role
from discord_agent.domain.errors import LeaseLost
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.money import Cost, Usd
from discord_agent.domain.run import Outcome, RunState, TurnStatus
from discord_agent.domain.signals import is_failure
from discord_agent.steps.hearing import ENDING
from discord_agent.steps.turn import TurnLimits
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import PRICE, TOKENS, calls, finishes, says, writes
from tests.support.fakes.world import BOB, EXECUTION, THREAD, World

_READ = ("read_file", {"path": "auth.py"})


@dataclass(frozen=True)
class Scene:
    """What the model says, and during which of its calls somebody writes or stops; ``wanted`` comes with what is written."""

    replies: tuple[ModelReply, ...]
    spoken_before: int = 0
    spoken_during: frozenset[int] = frozenset()
    stopped_during: int | None = None
    wanted: Interrupt | None = None


USUAL = Scene(
    (
        calls(_READ),
        calls(writes("auth.py", "one"), writes("new.py", "two")),
        calls(writes("auth.py", "three"), ("finish", {"summary": "Done."})),
        finishes("Heard and done."),
        finishes("Done at last."),
    ),
    spoken_before=1,
    spoken_during=frozenset({1, 2}),
)

_REPLIES = st.lists(
    st.sampled_from(
        [
            calls(_READ),
            calls(writes("auth.py", "one")),
            calls(writes("new.py", "two"), _READ, text="Two at once."),
            calls(writes("auth.py", "three"), ("finish", {"summary": "Written and done."})),
            calls(("finish", {"summary": ""})),
            says("Let me think."),
            finishes(),
            calls(("ask_user", {"question": "Which?"})),
            calls(("report_stuck", {"reason": "no idea"})),
        ]
    ),
    min_size=1,
    max_size=4,
)
SCENES = st.builds(
    Scene,
    _REPLIES.map(lambda replies: (*replies, *[finishes(f"Done, {number}.") for number in range(6)])),
    st.integers(0, 2),
    st.frozensets(st.integers(0, 4), max_size=2),
    st.none() | st.integers(0, 4),
    st.none() | st.sampled_from([kind for kind in Interrupt if kind is not Interrupt.STOP]),
)
MOMENTS = st.integers(0, 10_000)


def _staged(scene: Scene) -> tuple[World, RunState]:
    """A world in which the scene plays, whoever asks the model and however often."""
    world = World()
    run = world.working()
    world.plays(*scene.replies)
    for number in range(scene.spoken_before):
        world.steer(f"before-{number}", number=number)

    def meanwhile(request: ModelRequest) -> None:
        answered = sum(message.role is Role.ASSISTANT for message in request.messages)
        if answered in scene.spoken_during:
            world.steer(f"during-{answered}", number=4 + answered, interrupt=scene.wanted)
        if answered == scene.stopped_during:
            world.executions.request_stop(EXECUTION, BOB)

    world.model.during = meanwhile
    return world, run


def _undisturbed(scene: Scene) -> tuple[World, RunState, list[str]]:
    world, run = _staged(scene)
    moments = Moments()
    with world.effects.watch(moments):
        after = world.turn()(run)
    return world, after, moments.seen


def _left_behind(world: World) -> dict[str, Any]:
    """Everything that a later step or run goes on from."""
    return {
        "workspace": world.workspaces.heads[THREAD].manifest_id,
        "context": replace(world.journal.contexts[EXECUTION], version="", reached=None),
        "row": replace(world.row, reached=None, cost=_without_estimates(world.row.cost)),
        "session": world.sessions.threads[THREAD],
        "inbox": dict(world.sessions.inbox),
        "journal": (
            {key: replace(entry, paid_from="") for key, entry in world.journal.replies.items()},
            dict(world.journal.results),
        ),
        "holder": world.leases.locks[THREAD].owner,
    }


def _without_estimates(cost: Cost) -> Cost:
    """A cost without what is charged for calls whose figures got lost."""
    return replace(cost, estimated=Usd())


def _as_compared(run: RunState) -> RunState:
    return replace(run, card_lines=(), card_edited_at=None, cost=_without_estimates(run.cost))


def _check_that_every_call_is_accounted_for(world: World, after: RunState, in_vain: int) -> None:
    """What was charged is what the run says it cost; a call in vain is charged by its estimate."""
    assert world.budgets.open_slices(EXECUTION) == ()
    [charged] = [spent for key, spent in world.budgets.charged.items() if key.endswith("/run")] or [Usd()]
    # A call that was stopped is charged by an attempt that may die before it can tell the next one.
    assert charged >= after.cost.charged
    assert charged == after.cost.charged or after.outcome is Outcome.STOPPED
    assert after.cost.known == PRICE.known * (len(world.model.requests) - in_vain)


def _calls_in_vain(world: World) -> int:
    """Model calls whose replies are in no journal."""
    answered = [entry for entry in world.journal.replies.values() if ENDING.isdisjoint(entry.interrupts)]
    return len(world.model.requests) - len(answered)


def _is_in_flight(seen: list[str]) -> bool:
    """Whether a model was asked whose reply is not in the journal yet."""
    return seen.count("before model.complete") > seen.count("after journal.record_reply")


def _heard(world: World) -> Counter[str]:
    texts = (message.text for message in world.messages if message.role is Role.USER)
    return Counter(word.removeprefix("content=") for text in texts for word in text.split() if "content=" in word)


def _check_that_calls_have_their_results(messages: Iterable[Message]) -> None:
    due: list[str] = []
    for message in messages:
        if message.role is Role.TOOL:
            assert message.tool_call_id == due.pop(0)
        else:
            assert due == []
            due = [call.id for call in message.tool_calls]
    assert due == []


def _check_a_death(scene: Scene, at: int) -> None:
    """A turn that dies at a moment and is tried again ends as if it had not died, but for what death interrupts."""
    expected, expected_after, _ = _undisturbed(scene)
    world, run = _staged(scene)
    with pytest.raises(Death), world.effects.watch(moments := Moments(at, die)):
        world.turn()(run)
    after = world.turn()(run)

    _check_that_calls_have_their_results(world.messages)
    assert after.turn == world.row.turns == world.journal.contexts[EXECUTION].turn == 1
    assert after.manifest_id == world.workspaces.heads[THREAD].manifest_id == world.row.manifest_id

    ran = Counter(call.id for round_of_calls in world.toolbox.runs for call in round_of_calls)
    assert set(ran.values()) <= {1}, "a tool ran twice"
    repeated = _calls_in_vain(world) - _calls_in_vain(expected)
    assert repeated <= 1, "paid for more than one call twice"
    _check_that_every_call_is_accounted_for(world, after, _calls_in_vain(world))

    heard, waiting = _heard(world), {item.content for item in world.sessions.inbox.values()}
    assert set(heard.values()) <= {1}, "heard twice"
    assert not waiting & set(heard), "heard, and waiting still"
    assert waiting | set(heard) >= {f"before-{number}" for number in range(scene.spoken_before)}, "lost"
    if after.status is TurnStatus.COMPLETE:
        newest = max(world.journal.results)
        assert not any(is_failure(result) for result in world.journal.results[newest][0]), "falsely done"

    results = (result for of_round, _ in world.journal.results.values() for result in of_round)
    interrupted = any(result.text.startswith("Interrupted") for result in results)
    # What was said during a call that is repeated is heard by its repetition, a round earlier.
    heard_earlier = scene.spoken_during and _is_in_flight(moments.seen)
    if not interrupted and not heard_earlier:
        assert _left_behind(world) == _left_behind(expected)
        assert _as_compared(after) == _as_compared(expected_after)


def _go_on(world: World, run: RunState) -> None:
    """What a later step adds to the message list."""
    context = world.journal.contexts[EXECUTION]
    nudge = Message(Role.USER, "Change the approach.")
    world.journal.save_context(run, replace(context, messages=(*context.messages, nudge)))


def _check_an_overlap(scene: Scene, at: int, dies_at: int | None = None) -> None:
    """While an attempt pauses at a moment newer ones play the whole turn; the older one then changes nothing.

    With ``dies_at`` the second attempt dies at that moment, and a third goes on from there.
    """
    world, run = _staged(scene)
    left: dict[str, Any] = {}
    newest: list[RunState] = []

    def overtake(moment: str) -> None:
        if dies_at is not None:
            with pytest.raises(Death), world.effects.watch(Moments(dies_at, die)):
                world.turn()(run)
        with world.effects.watch(None):
            newest.append(world.turn()(run))
            _go_on(world, newest[0])
        # What is said from now on is for the next turn, whoever still asks a model.
        world.model.during = lambda _: None
        left.update(_left_behind(world))

    older: RunState | None = None
    with world.effects.watch(moments := Moments(at, overtake)), suppress(LeaseLost):
        older = world.turn()(run)
    assert _left_behind(world) == left
    was_through = "after executions.update" in moments.seen[: at + 1]
    if was_through:
        assert older is not None
        assert _as_compared(older) == _as_compared(newest[0])
    else:
        assert older is None
    _check_that_calls_have_their_results(world.messages)
    assert set(_heard(world).values()) <= {1}


def _moments_under_the_lease(scene: Scene) -> tuple[int, int]:
    """The first and the last moment at which an attempt holds the lease."""
    *_, moments = _undisturbed(scene)
    return moments.index("after leases.renew"), len(moments) - 1


def test_a_turn_that_dies_at_any_moment_is_taken_up_where_it_was() -> None:
    *_, moments = _undisturbed(USUAL)
    for at in range(len(moments)):
        _check_a_death(USUAL, at)


def test_a_turn_that_was_saved_before_it_died_is_not_prolonged() -> None:
    world, run = _staged(USUAL)
    limits = TurnLimits(seconds=100)
    world.model.during = lambda request: world.clock.pass_by(timedelta(seconds=101))

    def die_once_it_is_saved(moment: str) -> None:
        if moment == "after journal.save_context":
            raise Death(moment)

    with pytest.raises(Death), world.effects.watch(die_once_it_is_saved):
        world.turn(limits)(run)
    after = world.turn(limits)(run)
    assert (after.rounds, len(world.model.requests), after.usage) == (1, 1, TOKENS)
    _check_that_calls_have_their_results(world.messages)


@settings(deadline=None, max_examples=200)
@given(SCENES, MOMENTS)
def test_any_turn_that_dies_is_taken_up_where_it_was(scene: Scene, at: int) -> None:
    *_, moments = _undisturbed(scene)
    _check_a_death(scene, at % len(moments))


def test_of_two_overlapping_attempts_the_older_ends_without_writing() -> None:
    first, last = _moments_under_the_lease(USUAL)
    for at in range(first, last + 1):
        _check_an_overlap(USUAL, at)


@settings(deadline=None, max_examples=200)
@given(SCENES, MOMENTS)
def test_of_any_two_overlapping_attempts_the_older_ends_without_writing(scene: Scene, at: int) -> None:
    first, last = _moments_under_the_lease(scene)
    _check_an_overlap(scene, first + at % (last - first + 1))


@settings(deadline=None, max_examples=200)
@given(SCENES, MOMENTS, st.integers(0, 15))
def test_an_older_attempt_ends_without_writing_even_if_the_newer_one_died(scene: Scene, at: int, dies_at: int) -> None:
    first, last = _moments_under_the_lease(scene)
    _check_an_overlap(scene, first + at % (last - first + 1), dies_at)
