from copy import replace

import pytest

from discord_agent.domain.classification import AgentRole
from discord_agent.domain.design_evaluation import evaluate_design, is_design
from discord_agent.domain.evaluation import Completion, Trajectory
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.run import RunState

ONE_TURN = Trajectory(Completion.COMPLETE, turns=1, max_turns=20)
RUN = RunState(ExecutionId("m-1"), ThreadId("1"), ChannelId("1"), MessageId("1"), UserId("1"), role=AgentRole.ARCHITECT)


@pytest.mark.parametrize(
    ("text", "design", "score"),
    [
        ("It is confusing and unclear, a contradiction.", 35, 76),
        ("Use a queue.", 70, 88),
        ("Trade-offs, alternatives, considerations, constraints and assumptions.", 95, 97),
    ],
)
def test_a_design_is_scored_by_what_it_weighs(text: str, design: int, score: int) -> None:
    evaluation = evaluate_design(ONE_TURN, text)
    assert (evaluation.code_quality, evaluation.score, evaluation.task_completion) == (design, score, 100)


@pytest.mark.parametrize(
    ("turns", "efficiency"), [(3, 90), (4, 100), (8, 100), (9, 80), (12, 80), (13, 60), (15, 60), (16, 40)]
)
def test_thinking_longer_than_a_glance_but_not_for_ever_is_efficient(turns: int, efficiency: int) -> None:
    assert evaluate_design(replace(ONE_TURN, turns=turns), "").efficiency == efficiency


def test_an_incomplete_design_counts_more_with_a_result() -> None:
    incomplete = replace(ONE_TURN, completion=Completion.INCOMPLETE)
    assert evaluate_design(incomplete, "My recommendation: a queue.").task_completion == 75
    assert evaluate_design(incomplete, "A queue, perhaps.").task_completion == 50


def test_a_design_needs_no_file_to_be_tangible() -> None:
    assert evaluate_design(ONE_TURN, "Use a queue.").issues == ()
    assert evaluate_design(replace(ONE_TURN, errors=2), "Use a queue.").issues == ("Errors occurred: 2.",)


def test_a_failed_design_made_no_progress() -> None:
    failed = evaluate_design(replace(ONE_TURN, completion=Completion.FAILED), "Trade-off")
    assert (failed.task_completion, failed.has_progress) == (20, False)


@pytest.mark.parametrize(
    ("role", "files", "expected"),
    [
        (AgentRole.ARCHITECT, (), True),
        (AgentRole.ARCHITECT, ("docs/design.md",), True),
        (AgentRole.ARCHITECT, ("docs/design.md", "queue.py"), False),
        (AgentRole.PYTHON_CODER, (), False),
    ],
)
def test_only_an_architects_documents_are_judged_as_a_design(
    role: AgentRole, files: tuple[str, ...], expected: bool
) -> None:
    assert is_design(replace(RUN, role=role, files_changed=files)) is expected
