from copy import replace

import pytest

from discord_agent.domain.conversation import Message, Role
from discord_agent.domain.run import Outcome, TurnStatus
from tests.support.fakes.models import calls, finishes, writes
from tests.support.fakes.world import BOB, EXECUTION, THREAD, World


def test_a_stop_between_rounds_ends_the_run_with_what_is_done() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "half")), finishes())
    world.toolbox.on_run = lambda: world.executions.request_stop(EXECUTION, BOB)
    after = world.turn()(run)
    assert (after.outcome, after.rounds) == (Outcome.STOPPED, 1)
    assert len(world.model.requests) == 1
    assert world.workspaces.files(THREAD)["auth.py"] == b"half"


def test_a_stop_before_the_first_round_costs_no_model_call() -> None:
    world = World()
    run = world.working()
    world.executions.request_stop(EXECUTION, BOB)
    after = world.turn()(run)
    assert (after.outcome, after.rounds, world.model.requests) == (Outcome.STOPPED, 0, [])


def test_a_stop_while_the_model_is_asked_ends_the_run() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "never")))
    world.model.during = lambda request: world.executions.request_stop(EXECUTION, BOB)
    after = world.turn()(run)
    assert (after.outcome, after.rounds, world.toolbox.runs) == (Outcome.STOPPED, 0, [])


def _stops_once_the_reply_is_journalled(world: World) -> None:
    def watch(moment: str) -> None:
        if moment == "after journal.record_reply":
            world.executions.rows[EXECUTION] = replace(world.row, stop_requested_by=BOB)

    world.effects.watcher = watch


def test_a_stop_between_reply_and_tools_runs_no_tool_and_tells_the_model_so() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "never")))
    _stops_once_the_reply_is_journalled(world)
    after = world.turn()(run)
    assert (after.outcome, world.toolbox.runs) == (Outcome.STOPPED, [])
    assert world.messages[-1] == Message(Role.TOOL, "Not run: somebody asked to stop.", tool_call_id="t1r0c0")
    assert after.signals.failures == 0


@pytest.mark.parametrize("control", [("ask_user", {"question": "?"}), ("report_stuck", {"reason": "!"})])
def test_a_stop_counts_more_than_a_question(control: tuple[str, dict[str, str]]) -> None:
    world = World()
    run = world.working()
    world.plays(calls(control))
    _stops_once_the_reply_is_journalled(world)
    assert world.turn()(run).outcome is Outcome.STOPPED


def test_a_finish_counts_more_than_a_stop_that_came_with_it() -> None:
    world = World()
    run = world.working()
    world.plays(finishes())
    _stops_once_the_reply_is_journalled(world)
    after = world.turn()(run)
    assert (after.outcome, after.status) == (None, TurnStatus.COMPLETE)


def test_finishing_together_with_tools_that_a_stop_prevented_is_no_finish() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "never"), ("finish", {"summary": "Done."})))
    _stops_once_the_reply_is_journalled(world)
    after = world.turn()(run)
    assert (after.outcome, after.status, after.summary) == (Outcome.STOPPED, TurnStatus.CONTINUE, "")


def test_a_stop_counts_more_than_a_finish_that_has_not_heard_everything() -> None:
    world = World()
    run = world.working()
    world.plays(finishes("Done."))
    world.model.during = lambda request: world.steer("Wait, not that file!")
    world.effects.watcher = lambda moment: (
        moment == "after journal.record_reply" and world.executions.request_stop(EXECUTION, BOB)
    )
    assert world.turn()(run).outcome is Outcome.STOPPED
