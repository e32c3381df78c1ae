from copy import replace

import pytest

from discord_agent.domain.classification import AgentRole
from discord_agent.domain.errors import LeaseLost
from discord_agent.domain.run import Next, Outcome, RunState, Signals, TurnStatus
from tests.support.fakes.world import EXECUTION, THREAD, World


def _done(world: World) -> RunState:
    return world.working(
        turn=1, status=TurnStatus.COMPLETE, outcome=Outcome.DONE, files_changed=("auth.py",), next=Next.EVALUATE
    )


def test_the_score_is_remembered_for_the_next_plan() -> None:
    world = World()
    run = replace(_done(world), summary="x" * 900)
    after = world.evaluate()(run)
    assert (after.score, after.next) == (100, Next.END)
    session = world.sessions.get(THREAD)
    assert (session.confidence, session.has_progress, session.topic) == (100, True, "token-login")
    assert len(session.last_message) == 500
    assert session.last_run is not None
    assert (session.last_run.score, session.last_run.task_completion) == (100, 100)
    [row] = world.audit.of("evaluation")
    assert row.details["score"] == 100
    assert world.audit.of("checkpoint") == []


@pytest.mark.parametrize("outcome", [Outcome.STOPPED, Outcome.OUT_OF_TURNS, Outcome.NEEDS_YOU])
def test_a_run_that_ends_early_leaves_a_checkpoint_to_go_on_from(outcome: Outcome) -> None:
    world = World()
    run = world.working(turn=7, outcome=outcome, next=Next.EVALUATE, signals=Signals(failures=2, total_tool_calls=5))
    world.evaluate()(run)
    [row] = world.audit.of("checkpoint")
    assert (row.details["turn"], row.details["manifestId"]) == (7, run.manifest_id)


def test_evaluating_again_gives_the_same() -> None:
    world = World()
    run = _done(world)
    assert world.evaluate()(run) == world.evaluate()(run)


def test_a_run_without_the_lease_does_not_overwrite_the_memory() -> None:
    world = World()
    run = _done(world)
    world.leases.release(THREAD, EXECUTION)
    before = world.sessions.get(THREAD)
    with pytest.raises(LeaseLost):
        world.evaluate()(replace(run, next=Next.EVALUATE))
    assert world.sessions.get(THREAD) == before


def test_the_topics_of_a_thread_are_remembered_newest_first() -> None:
    world = World()
    run = _done(world)
    world.sessions.update(THREAD, topics=("cleanup", "token-login"))
    world.evaluate()(run)
    assert world.sessions.get(THREAD).topics == ("token-login", "cleanup")


def test_a_design_is_scored_as_one() -> None:
    world = World()
    run = replace(_done(world), role=AgentRole.ARCHITECT, files_changed=("docs/design.md",), summary="A trade-off.")
    assert world.evaluate()(run).score == 90
