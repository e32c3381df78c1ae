from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain import events
from discord_agent.domain.classification import TaskType
from discord_agent.domain.conversation import Role
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.run import HandedOn, Next, Outcome, Signals, TurnStatus, Waiting
from tests.support.fakes import workspace
from tests.support.fakes.models import LADDER, calls
from tests.support.fakes.world import EXECUTION, OPENING, THREAD, World


@pytest.mark.parametrize("turn", [1, 2, 3, 4, 6])
def test_a_run_without_trouble_goes_on_with_the_next_turn(turn: int) -> None:
    world = World()
    after = world.escalation()(world.working(turn=turn))
    assert (after.next, after.outcome, after.model) == (Next.TURN, None, LADDER[0])
    assert world.messages == OPENING


@pytest.mark.parametrize("turn", [5, 10, 15])
def test_every_fifth_turn_leads_to_a_checkpoint(turn: int) -> None:
    world = World()
    assert world.escalation()(world.working(turn=turn)).next is Next.CHECKPOINT


def test_a_completed_run_is_done() -> None:
    world = World()
    after = world.escalation()(world.working(turn=5, status=TurnStatus.COMPLETE))
    assert (after.next, after.outcome) == (Next.EVALUATE, Outcome.DONE)


def test_a_stopped_run_ends_whatever_else_holds() -> None:
    world = World()
    run = world.working(turn=2, status=TurnStatus.STUCK, outcome=Outcome.STOPPED)
    after = world.escalation()(run)
    assert (after.next, after.outcome) == (Next.EVALUATE, Outcome.STOPPED)


@pytest.mark.parametrize("status", [TurnStatus.CONTINUE, TurnStatus.STUCK])
def test_the_last_turn_is_the_last(status: TurnStatus) -> None:
    world = World()
    after = world.escalation()(world.working(turn=20, status=status))
    assert (after.next, after.outcome, after.escalations) == (Next.EVALUATE, Outcome.OUT_OF_TURNS, 0)


@pytest.mark.parametrize("turn", [3, 5, 20])
def test_a_question_of_the_model_goes_to_people(turn: int) -> None:
    world = World()
    after = world.escalation()(world.working(turn=turn, status=TurnStatus.NEEDS_CLARIFICATION, question="Which key?"))
    assert (after.next, after.outcome, after.question) == (Next.CLARIFY, None, "Which key?")


def test_a_stuck_run_moves_up_one_model_and_starts_without_the_evidence_against_the_weaker_one() -> None:
    world = World()
    signals = Signals(same_errors=2, no_progress_turns=3, low_confidence_streak=1, failures=4, total_tool_calls=9)
    run = world.working(turn=3, status=TurnStatus.STUCK, signals=signals)
    after = world.escalation()(run)
    assert (after.next, after.model, after.escalations) == (Next.TURN, LADDER[1], 1)
    assert after.signals == Signals(failures=4, total_tool_calls=9)
    reason = "the model reports that it is stuck"
    [row] = world.audit.of("escalation")
    assert row.details == {"turn": 3, "from": LADDER[0], "to": LADDER[1], "reason": reason}
    [event] = world.events.emitted
    assert (event.type, event.details) == (
        events.MODEL_ESCALATED,
        {"from": LADDER[0], "to": LADDER[1], "reason": reason},
    )
    assert world.messages[-1].role is Role.USER
    assert world.messages[-1].text.startswith("[escalated]")
    assert "Model Escalation" in after.card_lines[-1]


def test_an_escalation_at_a_fifth_turn_leads_to_a_checkpoint_too() -> None:
    world = World()
    after = world.escalation()(world.working(turn=5, status=TurnStatus.STUCK))
    assert (after.next, after.model) == (Next.CHECKPOINT, LADDER[1])


def test_at_the_strongest_model_people_are_asked_once_for_the_same_evidence() -> None:
    world = World()
    run = world.working(turn=4, model=LADDER[-1], signals=Signals(same_errors=3, last_error="bash: no such file"))
    after = world.escalation()(run)
    assert (after.next, after.model) == (Next.CLARIFY, LADDER[-1])
    assert after.question == "I am stuck (same error 3 times)."
    answered = replace(after, turn=5, next=Next.TURN)
    assert world.escalation()(answered).next is Next.CHECKPOINT


def test_a_nudge_comes_before_an_escalation_and_is_told_to_the_model_once() -> None:
    world = World()
    run = world.working(turn=3, signals=Signals(no_progress_turns=3))
    assert world.escalation()(run).next is Next.TURN
    assert world.escalation()(run).next is Next.TURN
    told = [message for message in world.messages if message not in OPENING]
    assert [message.role for message in told] == [Role.USER]
    assert "No file has changed for 3 turns" in told[0].text


def test_reading_tasks_are_neither_nudged_nor_escalated_for_changing_no_file() -> None:
    world = World()
    run = world.working(turn=6, task_type=TaskType.CODE_REVIEW, signals=Signals(no_progress_turns=6))
    assert world.escalation()(run).model == LADDER[0]
    assert world.messages == OPENING


def test_an_escalation_that_is_retried_tells_the_model_once() -> None:
    world = World()
    run = world.working(turn=3, status=TurnStatus.STUCK)
    assert world.escalation()(run) == world.escalation()(run)
    assert sum(message.text.startswith("[escalated]") for message in world.messages) == 1


def test_an_escalation_is_remembered_by_run_and_thread_once() -> None:
    world = World()
    run = world.working(turn=3, status=TurnStatus.STUCK)
    first = world.escalation()(run)
    world.clock.pass_by(timedelta(seconds=9))
    world.escalation()(run)
    reason = "the model reports that it is stuck"
    noted = (HandedOn(3, LADDER[0], LADDER[1], reason, world.clock.now() - timedelta(seconds=9), EXECUTION),)
    assert world.row.escalations == world.sessions.get(THREAD).escalations == noted
    assert world.row.reasons.model == f"took over from {LADDER[0]}: {reason}"

    world.escalation()(replace(first, turn=4, status=TurnStatus.STUCK))
    assert [(one.turn, one.after) for one in world.row.escalations] == [(3, LADDER[1]), (4, LADDER[2])]


def test_a_thread_remembers_its_newest_escalations() -> None:
    world = World()
    run = world.working(max_turns=35, status=TurnStatus.STUCK)
    for turn in range(1, 26):
        world.escalation()(replace(run, turn=turn))
    assert [one.turn for one in world.sessions.get(THREAD).escalations] == list(range(6, 26))


def test_a_stronger_model_that_people_ask_for_works_from_the_next_turn_on() -> None:
    world = World()
    after = world.escalation()(world.working(turn=2, wants_stronger=True))
    assert (after.model, after.next, after.wants_stronger) == (LADDER[1], Next.TURN, False)
    [row] = world.audit.of("escalation")
    assert row.details["reason"] == "a stronger model was asked for"


def test_a_wish_for_a_stronger_model_and_a_question_are_both_heard() -> None:
    world = World()
    run = world.working(
        turn=2, wants_stronger=True, status=TurnStatus.NEEDS_CLARIFICATION, question="What should I know?"
    )
    after = world.escalation()(run)
    assert (after.model, after.next, after.question) == (LADDER[1], Next.CLARIFY, "What should I know?")


def test_whoever_wants_more_than_the_strongest_model_is_asked_what_to_do_differently() -> None:
    world = World()
    after = world.escalation()(world.working(turn=2, model=LADDER[-1], wants_stronger=True))
    assert (after.model, after.next, after.wants_stronger) == (LADDER[-1], Next.CLARIFY, False)
    assert after.question == (
        "large is the strongest model there is, and a stronger model was asked for. What should be done differently?"
    )


def test_a_run_that_waits_for_money_waits_whatever_else_is_wanted() -> None:
    world = World()
    after = world.escalation()(world.working(turn=2, wants_stronger=True, waiting=Waiting.MONEY))
    assert (after.next, after.model, after.wants_stronger) == (Next.CLARIFY, LADDER[0], True)


def test_a_model_that_goes_round_in_circles_is_told_so_and_handed_on_two_turns_later() -> None:
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = workspace.Outcome("a.py")
    world.plays(*(calls(("bash", {"command": "ls"})) for _ in range(20)))
    models, told, shown = [], [], []
    for _ in range(3):
        run = world.escalation()(world.turn()(run))
        models.append(run.model)
        told.append(world.messages[-1].text)
        shown.append(run.card_lines[-1])
    assert models == [LADDER[0], LADDER[0], LADDER[1]]
    circle = "the same call with the same result 3 times in a row"
    assert f"You go round in circles: {circle}." in told[0]
    assert run.escalations == 1
    assert world.row.escalations[0].reason == f"going round in circles for 3 turns ({circle})"
    assert shown[0].startswith(f"💡 Warned: You go round in circles: {circle}")
    [nudged] = world.audit.of("nudge")
    assert nudged.details["turn"] == 1


def test_a_warning_names_the_tool_that_failed_and_not_what_failures_are_told_apart_by() -> None:
    world = World()
    garbled = "bash: s_expiry - assertionerror: r... failed tests/test_service.py::test_it"
    run = world.escalation()(world.working(turn=1, signals=Signals(same_errors=1, last_error=garbled)))
    assert run.card_lines[-1].startswith("💡 Warned: A call of bash failed. Read its message")
    assert "s_expiry" not in run.card_lines[-1]


def test_a_nudge_without_messages_to_add_it_to_is_refused() -> None:
    world = World()
    run = world.working(turn=3, signals=Signals(no_progress_turns=3))
    del world.journal.contexts[EXECUTION]
    with pytest.raises(InvalidEvent):
        world.escalation()(run)


def test_the_lease_is_renewed() -> None:
    world = World()
    run = world.working(turn=3)
    before = world.leases.locks[THREAD].fence
    world.escalation()(run)
    assert world.leases.locks[THREAD].fence == before + 1
