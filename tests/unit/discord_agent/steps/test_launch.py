import pytest

from discord_agent.domain.classification import Classification, FlowType, TaskType
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.inbound import Author
from discord_agent.domain.options import Option
from discord_agent.domain.run import RunState
from discord_agent.domain.session import ExecutionStatus
from discord_agent.steps.launch import choose
from tests.support.fakes.world import ADA, BOB, EXECUTION, MESSAGE, REQUEST, World

OPTIONS = (Option("Sessions", "Keep them in Redis."), Option("Tokens", "Sign them."))
CHOSEN = ExecutionId(f"{EXECUTION}-o2")
BOB_HIMSELF = Author(BOB, "Bob")


def _shown() -> World:
    world = World()
    world.requested(
        flow=FlowType.BRANCH,
        options=OPTIONS,
        classification=Classification(True, "asked", task_type=TaskType.ARCHITECTURE),
    )
    return world


def test_choosing_an_option_starts_an_agent_with_what_was_asked_and_what_was_chosen() -> None:
    world = _shown()
    record = choose(world.machines, world.executions, world.row, 2, BOB_HIMSELF, world.clock)
    run = world.machines.started["sequential_thinking", CHOSEN]
    assert isinstance(run, RunState)
    assert (run.flow, run.task_type, run.message_id, run.author_id) == (
        FlowType.SEQUENTIAL,
        TaskType.CODING,
        MESSAGE,
        BOB,
    )
    assert record == world.executions.rows[CHOSEN]
    assert REQUEST in record.request
    assert "Tokens" in record.request
    assert "Sign them." in record.request
    assert "Redis" not in record.request
    assert record.reasons.flow == "option 2 was chosen: Tokens"
    assert world.row.author_id == ADA


def test_an_option_is_carried_out_once_however_often_it_is_chosen() -> None:
    world = _shown()
    choose(world.machines, world.executions, world.row, 2, BOB_HIMSELF, world.clock)
    world.executions.update(CHOSEN, status=ExecutionStatus.PROCESSING)
    choose(world.machines, world.executions, world.row, 2, Author(ADA, "Ada"), world.clock)
    assert list(world.machines.started) == [("sequential_thinking", CHOSEN)]
    assert world.executions.rows[CHOSEN].author_id == BOB
    assert world.executions.rows[CHOSEN].status is ExecutionStatus.PROCESSING


@pytest.mark.parametrize("option", [-1, 0, 3])
def test_an_option_that_was_not_shown_cannot_be_chosen(option: int) -> None:
    world = _shown()
    with pytest.raises(InvalidInput):
        choose(world.machines, world.executions, world.row, option, BOB_HIMSELF, world.clock)
    assert not world.machines.started
