"""What the steps of a run measure."""

from copy import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from discord_agent.domain import measures
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import ModelUnavailable
from discord_agent.domain.money import Cost, Usd
from discord_agent.domain.run import Outcome, Signals, StepFailure, TurnStatus
from tests.support.fakes.models import calls, finishes, writes
from tests.support.fakes.world import BOB, EXECUTION, World


def test_a_turn_measures_itself_and_what_each_of_its_calls_read_wrote_and_cost() -> None:
    world = World()
    run = world.working()
    replies = (calls(writes("auth.py", "1")), finishes())
    world.plays(*(replace(reply, cost=Cost(Usd(Decimal("0.25")))) for reply in replies))
    world.turn()(run)
    assert world.metrics.of(measures.TURNS) == [1]
    assert world.metrics.of(measures.COST) == [0.25, 0.25]
    assert world.metrics.of(measures.TOKENS) == [reply.usage.input + reply.usage.output for reply in replies]


def test_a_call_that_failed_is_measured_at_what_it_may_have_cost() -> None:
    world = World()
    run = world.working()
    world.model.faults[Purpose.TURN].append(
        ModelUnavailable("nobody answers", spent=Cost(estimated=Usd(Decimal("0.5"))))
    )
    with pytest.raises(ModelUnavailable):
        world.turn()(run)
    assert world.metrics.of(measures.COST) == [0.5]
    assert world.metrics.of(measures.TOKENS) == []


def test_an_escalation_is_measured() -> None:
    world = World()
    run = world.working(turn=3, status=TurnStatus.STUCK, signals=Signals(same_errors=3))
    assert world.escalation()(run).escalations == 1
    assert world.metrics.of(measures.ESCALATIONS) == [1]


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.OUT_OF_TURNS, Outcome.NEEDS_YOU])
def test_a_run_is_measured_once_by_its_outcome_however_often_its_end_is_tried(outcome: Outcome) -> None:
    world = World()
    run = world.working(outcome=outcome)
    world.finish()(run)
    world.finish()(run)
    assert world.metrics.of(measures.RUNS, outcome) == [1]
    assert world.metrics.of(measures.STOP_LATENCY) == []


def test_a_failed_run_is_measured_as_such() -> None:
    world = World()
    world.fail().run_failed(world.working(failure=StepFailure("States.Timeout")))
    assert world.metrics.of(measures.RUNS, Outcome.FAILED) == [1]


def test_a_stop_is_measured_from_the_wish_to_its_terminal_message() -> None:
    world = World()
    run = world.working(outcome=Outcome.STOPPED)
    world.executions.request_stop(EXECUTION, BOB)
    world.clock.pass_by(timedelta(seconds=4))
    world.finish()(run)
    assert world.metrics.of(measures.STOP_LATENCY) == [4.0]
    assert world.metrics.of(measures.RUNS, Outcome.STOPPED) == [1]
