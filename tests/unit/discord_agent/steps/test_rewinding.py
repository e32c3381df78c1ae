from copy import replace

import pytest

from discord_agent.domain import events
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import Conflict, InvalidInput
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.run import Next, Outcome, Resumption, RunState
from discord_agent.domain.session import ExecutionRecord
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import answers, calls, finishes, says, writes
from tests.support.fakes.world import ADA, BOB, EXECUTION, FILES, THREAD, World


def _written(world: World) -> bytes:
    return world.workspaces.files(THREAD)["auth.py"]


def _ended(turns: int = 3) -> tuple[World, RunState]:
    """A run that wrote its turn's number in each turn, then was stopped."""
    world = World()
    run = world.working()
    for number in range(1, turns + 1):
        world.plays(*[reply for one in range(1, number + 1) for reply in (calls(writes("auth.py", f"turn {one}")), says(f"That was {one}."))])  # fmt: skip
        run = world.turn()(run)
    run = world.commit()(replace(run, outcome=Outcome.STOPPED))
    world.leases.release(THREAD, EXECUTION)
    world.executions.update(EXECUTION, outcome=Outcome.STOPPED)
    return world, run


def test_going_back_restores_the_files_of_that_turn() -> None:
    world, _ = _ended()
    world.rewind()(world.row, 1, BOB)
    assert _written(world) == b"turn 1"
    assert world.leases.holder(THREAD) is None


def test_the_state_before_is_kept_and_named_in_the_audit_trail() -> None:
    world, _ = _ended()
    before = world.workspaces.heads[THREAD].manifest_id
    world.rewind()(world.row, 1, BOB)
    session = world.sessions.get(THREAD)
    assert session.resume == Resumption(EXECUTION, 1, before)
    assert session.dirty
    [entry] = world.audit.of(events.REWOUND)
    assert (entry.actor, entry.details["turn"], entry.details["presentManifestId"]) == (BOB, 1, before)
    assert "auth.py" in world.workspaces.load(THREAD, before).by_path()


def test_people_can_go_back_further_and_forward_again() -> None:
    world, _ = _ended()
    before = world.workspaces.heads[THREAD].manifest_id
    for turn, content in ((2, b"turn 2"), (1, b"turn 1"), (3, b"turn 3")):
        world.rewind()(world.row, turn, BOB)
        assert _written(world) == content
    resume = world.sessions.get(THREAD).resume
    assert resume is not None
    assert resume.present == before


@pytest.mark.parametrize("turn", [-1, 4, 1000])
def test_a_turn_that_was_never_played_is_refused(turn: int) -> None:
    world, _ = _ended()
    with pytest.raises(InvalidInput, match=r"no turn .*; it made 3"):
        world.rewind()(world.row, turn, BOB)
    assert _written(world) == b"turn 3"


def test_nobody_goes_back_while_a_run_works_or_waits() -> None:
    world, _ = _ended()
    world.leases.acquire(THREAD, ExecutionId("m-1"))
    with pytest.raises(Conflict, match="at work"):
        world.rewind()(world.row, 1, BOB)
    world.leases.release(THREAD, ExecutionId("m-1"))
    world.sessions.update(THREAD, parked=ExecutionId("m-1"))
    with pytest.raises(Conflict, match="waits"):
        world.rewind()(world.row, 1, BOB)
    assert _written(world) == b"turn 3"


def test_going_back_that_dies_anywhere_is_finished_by_the_next_delivery() -> None:
    world, _ = _ended()
    with world.effects.watch(moments := Moments()):
        world.rewind()(world.row, 1, BOB)
    for at in range(len(moments.seen)):
        world, _ = _ended()
        before = world.workspaces.heads[THREAD].manifest_id
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.rewind()(world.row, 1, BOB)
        world.rewind()(world.row, 1, BOB)
        assert _written(world) == b"turn 1"
        assert world.sessions.get(THREAD).resume == Resumption(EXECUTION, 1, before)
        assert world.leases.holder(THREAD) is None


def _next_try(world: World) -> tuple[ExecutionRecord, RunState]:
    """The run that Continue starts, prepared."""
    world.restart()(world.row, BOB, "Bob", actor=BOB)
    [(_, name), started] = list(world.machines.started.items())[-1]
    assert isinstance(started, RunState)
    return world.executions.rows[name], world.prepare()(started)


def test_a_run_that_is_continued_goes_on_after_its_last_turn_without_planning_anew() -> None:
    world, ended = _ended()
    record, run = _next_try(world)
    assert run.resumes == Resumption(EXECUTION, 3)
    planned = world.plan()(run)
    assert world.model.asked(Purpose.PLAN) == []
    assert (planned.next, planned.turn, planned.max_turns, planned.role, planned.model, planned.topic) == (
        Next.TURN, 0, ended.max_turns, ended.role, ended.model, ended.topic,
    )  # fmt: skip
    messages = world.journal.contexts[record.execution_id].messages
    assert messages[:-1] == world.journal.contexts[EXECUTION].messages
    assert messages[-1] == Message(Role.USER, "[resumed] request= turn=3")


def test_what_goes_on_works_with_the_earlier_conversation_and_files() -> None:
    world, _ = _ended()
    _, run = _next_try(world)
    world.plays(*[says("earlier")] * 6, finishes("Done at last."))
    after = world.turn()(world.plan()(run))
    assert (after.turn, after.summary) == (1, "Done at last.")
    assert any("That was 3." in message.text for message in world.model.requests[-1].messages)
    assert _written(world) == b"turn 3"


def test_after_going_back_the_next_run_takes_over_the_conversation_at_that_turn() -> None:
    world, _ = _ended()
    world.rewind()(world.row, 1, BOB)
    record, run = _next_try(world)
    planned = world.plan()(run)
    texts = [message.text for message in world.journal.contexts[record.execution_id].messages]
    assert "That was 1." in texts
    assert "That was 2." not in texts
    assert _written(world) == b"turn 1"
    assert world.sessions.get(THREAD).resume is None
    assert planned.resumes is not None
    assert planned.resumes.turn == 1


def test_a_new_request_after_going_back_counts_more_than_the_old_one() -> None:
    world, _ = _ended()
    world.rewind()(world.row, 2, BOB)
    record, run = _next_try(world)
    world.executions.update(record.execution_id, request="Use OAuth instead")
    world.plan()(run)
    assert world.prompts.values_of("resumed") == {"turn": 2, "request": "Use OAuth instead"}


def test_a_run_that_never_came_to_a_turn_is_planned_anew() -> None:
    world, _ = _ended(turns=0)
    _, run = _next_try(world)
    assert run.resumes is None
    world.plays(says("{}"), purpose=Purpose.PLAN)
    world.plan()(run)
    assert len(world.model.asked(Purpose.PLAN)) == 1


def test_a_stronger_model_is_asked_for_and_taken() -> None:
    world, ended = _ended()
    world.executions.update(EXECUTION, reached=ended)
    world.restart()(world.row, BOB, "Bob", actor=BOB, stronger=True)
    started = list(world.machines.started.values())[-1]
    assert isinstance(started, RunState)
    planned = world.plan()(world.prepare()(started))
    assert planned.model == world.models.next_up(ended.model)
    assert not planned.wants_stronger


def test_taking_over_that_dies_anywhere_is_finished_by_the_retry() -> None:
    def staged() -> tuple[World, RunState]:
        world, _ = _ended()
        world.rewind()(world.row, 1, ADA)
        return world, _next_try(world)[1]

    world, run = staged()
    with world.effects.watch(moments := Moments()):
        expected = world.plan()(run)
    messages = world.journal.contexts[run.execution_id].messages
    for at in range(len(moments.seen)):
        world, run = staged()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.plan()(run)
        assert replace(world.plan()(run), card_lines=(), card_edited_at=None) == replace(
            expected, card_lines=(), card_edited_at=None
        )
        assert world.journal.contexts[run.execution_id].messages == messages
        assert world.model.asked(Purpose.PLAN) == []


def test_the_request_sent_after_taking_over_is_valid() -> None:
    world, _ = _ended()
    _, run = _next_try(world)
    world.plays(*[says("earlier")] * 6, finishes())
    seen: list[ModelRequest] = []
    world.model.during = seen.append
    world.turn()(world.plan()(run))
    roles = [message.role for message in seen[-1].messages]
    assert roles.count(Role.SYSTEM) == 1
    assert roles[-1] is Role.USER


def test_people_can_go_back_to_before_the_first_turn() -> None:
    world = World()
    world.repositories.begin(FILES)
    world.plays(says("{}"), purpose=Purpose.PLAN)
    world.plays(answers(title="Log in"), purpose=Purpose.TITLE)
    run = world.plan()(world.prepare()(world.requested()))
    world.plays(calls(writes("auth.py", "turn 1")), finishes("Done."))
    run = world.commit()(replace(world.turn()(run), outcome=Outcome.DONE))
    world.leases.release(THREAD, EXECUTION)
    world.rewind()(world.row, 0, BOB)
    assert _written(world) == FILES["auth.py"]
    context = world.journal.context_at(THREAD, EXECUTION, 0)
    assert context is not None
    assert len(context.messages) == 2
