import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.evaluation import Completion, Trajectory, evaluate
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.run import RunState, Signals, TurnStatus
from discord_agent.domain.session import LastRun


def trajectory(completion: str, files: int, errors: int, turns: int, max_turns: int) -> Trajectory:
    return Trajectory(Completion(completion), turns=turns, max_turns=max_turns, files=files, errors=errors)


@pytest.mark.parametrize(
    ("completion", "files", "errors", "turns", "max_turns", "score", "parts"),
    [
        ("complete", 1, 0, 1, 20, 100, (100, 100, 97.5)),
        ("complete", 1, 0, 3, 20, 99, (100, 100, 92.5)),
        ("complete", 1, 0, 20, 20, 90, (100, 100, 50)),
        ("complete", 1, 1, 10, 20, 87, (100, 80, 65)),
        ("complete", 1, 3, 10, 20, 77, (100, 60, 45)),
        ("incomplete", 1, 0, 20, 20, 70, (60, 100, 50)),
        ("incomplete", 0, 0, 10, 10, 55, (30, 100, 50)),
        ("incomplete", 0, 0, 0, 20, 65, (30, 100, 100)),
        ("failed", 1, 1, 5, 20, 44, (20, 60, 77.5)),
        ("failed", 0, 3, 6, 20, 33, (20, 40, 55)),
        ("failed", 0, 6, 10, 10, 26, (20, 40, 20)),
    ],
)
def test_the_score_and_its_parts_follow_the_published_formula(
    completion: str,
    files: int,
    errors: int,
    turns: int,
    max_turns: int,
    score: int,
    parts: tuple[int, int, float],
) -> None:
    evaluation = evaluate(trajectory(completion, files, errors, turns, max_turns))
    assert evaluation.score == score
    assert (evaluation.task_completion, evaluation.code_quality, evaluation.efficiency) == parts


@pytest.mark.parametrize(("errors", "quality"), [(0, 100), (1, 80), (2, 60), (3, 60), (4, 40)])
def test_code_quality_falls_with_errors_per_turn_at_a_fifth_and_two_fifths(errors: int, quality: int) -> None:
    assert evaluate(trajectory("complete", 1, errors, 10, 20)).code_quality == quality


def test_a_failed_run_made_no_progress_however_it_scored() -> None:
    assert not evaluate(trajectory("failed", 5, 1, 5, 20)).has_progress
    assert evaluate(trajectory("incomplete", 0, 0, 10, 10)).has_progress


def test_a_clean_run_leaves_nothing_to_complain_about() -> None:
    evaluation = evaluate(trajectory("complete", 2, 0, 4, 20))
    assert evaluation.issues == evaluation.suggestions == ()


def test_every_issue_comes_with_a_suggestion() -> None:
    evaluation = evaluate(trajectory("failed", 0, 6, 11, 20))
    assert len(evaluation.issues) == len(evaluation.suggestions) == 5


def test_a_run_is_judged_by_its_own_figures() -> None:
    run = RunState(
        execution_id=ExecutionId("m-1"),
        thread_id=ThreadId("1"),
        channel_id=ChannelId("1"),
        message_id=MessageId("1"),
        author_id=UserId("1"),
        turn=5,
        max_turns=20,
        status=TurnStatus.STUCK,
        files_changed=("a.py", "b.py"),
        signals=Signals(failures=1, total_tool_calls=7, tool_calls=2),
    )
    seen = Trajectory.of(run)
    assert seen == Trajectory(Completion.FAILED, turns=5, max_turns=20, tool_calls=7, files=2, errors=1)
    assert evaluate(seen).as_last_run(seen) == LastRun(
        trajectory="turns: 5, tool calls: 7, files changed: 2, ended failed",
        score=44,
        task_completion=20,
        code_quality=60,
        efficiency=77.5,
        issues=("The run ended stuck.", "Errors occurred: 1.", "The score is low (44)."),
        suggestions=(
            "Review the errors of the last turns before doing anything else.",
            "Find the cause of the errors first, then go on.",
            "Start with a stronger model.",
        ),
        reasoning="failed after 5 of 20 turns, errors: 1, files changed: 2",
    )


@given(
    st.builds(
        Trajectory,
        completion=st.sampled_from(Completion),
        turns=st.integers(0, 100),
        max_turns=st.integers(0, 35),
        tool_calls=st.integers(0, 100),
        files=st.integers(0, 100),
        errors=st.integers(0, 100),
    )
)
def test_every_score_lies_between_10_and_100(seen: Trajectory) -> None:
    evaluation = evaluate(seen)
    assert 10 <= evaluation.score <= 100
    assert 20 <= evaluation.efficiency <= 100
