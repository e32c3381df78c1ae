import pytest

from discord_agent.domain.classification import TaskType
from discord_agent.domain.escalation import (
    AskPeople,
    CarryOn,
    Escalate,
    Nudge,
    decide,
    nudges,
    triggers,
)
from discord_agent.domain.ids import ModelName
from discord_agent.domain.run import Signals, TurnStatus

WRITING_TASKS = ("coding-implementation", "devops-implementation", "database-design", "documentation-writer")
LOW, HIGH = ModelName("minimax-m2.1"), ModelName("qwen3-coder-plus")


@pytest.mark.parametrize(
    ("below", "at"),
    [
        (Signals(low_confidence_streak=1), Signals(low_confidence_streak=2)),
        (Signals(same_errors=2), Signals(same_errors=3)),
        (Signals(no_progress_turns=4), Signals(no_progress_turns=5)),
        (Signals(corrections=1), Signals(corrections=2)),
        (Signals(repeats=2), Signals(repeats=3)),
    ],
)
def test_a_trigger_fires_exactly_at_its_threshold(below: Signals, at: Signals) -> None:
    assert triggers(below, TurnStatus.CONTINUE, TaskType.CODING) == ()
    assert len(triggers(at, TurnStatus.CONTINUE, TaskType.CODING)) == 1


def test_a_model_that_reports_being_stuck_is_replaced() -> None:
    verdict = decide(Signals(), TurnStatus.STUCK, TaskType.CODING, model=LOW, next_up=HIGH)
    assert verdict == Escalate(HIGH, "the model reports that it is stuck")


def test_all_reasons_are_given() -> None:
    signals = Signals(low_confidence_streak=2, same_errors=3, no_progress_turns=6, corrections=2)
    verdict = decide(signals, TurnStatus.STUCK, TaskType.CODING, model=LOW, next_up=HIGH)
    assert verdict == Escalate(
        HIGH,
        "confidence below 30% for 2 turns; same error 3 times; no file changes for 6 turns; "
        "the model reports that it is stuck; corrected by people 2 times",
    )


def test_at_the_top_people_are_asked() -> None:
    verdict = decide(Signals(same_errors=3), TurnStatus.CONTINUE, TaskType.CODING, model=HIGH, next_up=HIGH)
    assert verdict == AskPeople("same error 3 times")


@pytest.mark.parametrize("task", WRITING_TASKS)
def test_a_writing_task_that_changes_no_file_is_handed_on(task: str) -> None:
    idle = Signals(no_progress_turns=5)
    assert triggers(idle, TurnStatus.CONTINUE, TaskType(task)) == ("no file changes for 5 turns",)


@pytest.mark.parametrize("task", sorted(set(TaskType) - set(WRITING_TASKS)))
def test_reading_tasks_need_not_change_files_but_obey_every_other_rule(task: TaskType) -> None:
    idle = Signals(no_progress_turns=9)
    assert decide(idle, TurnStatus.CONTINUE, task, model=LOW, next_up=HIGH) == CarryOn()
    assert nudges(Signals(no_progress_turns=3), task) == ()
    assert triggers(Signals(same_errors=3), TurnStatus.CONTINUE, task) == ("same error 3 times",)


@pytest.mark.parametrize(
    "signals", [Signals(no_progress_turns=3), Signals(same_errors=1, last_error="pytest: boom"), Signals(repeats=1)]
)
def test_a_nudge_comes_two_turns_ahead(signals: Signals) -> None:
    verdict = decide(signals, TurnStatus.CONTINUE, TaskType.CODING, model=LOW, next_up=HIGH)
    assert isinstance(verdict, Nudge)
    assert "2 more turns" in verdict.text


@pytest.mark.parametrize(
    "signals",
    [Signals(), Signals(no_progress_turns=2), Signals(no_progress_turns=4), Signals(same_errors=2), Signals(repeats=2)],
)
def test_between_nudge_and_threshold_the_run_carries_on(signals: Signals) -> None:
    assert decide(signals, TurnStatus.CONTINUE, TaskType.CODING, model=LOW, next_up=HIGH) == CarryOn()
