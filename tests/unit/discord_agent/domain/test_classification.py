"""The names and figures here are those of the behaviour contract, written out once more."""

from enum import StrEnum

import pytest

from discord_agent.domain.classification import (
    CHECKPOINT_INTERVAL,
    AgentRole,
    Complexity,
    FlowType,
    TaskType,
    flow_for,
    max_turns,
)
from discord_agent.domain.feedback import APPROVE, DISAPPROVE, Level
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.run import DEFAULT_SELF_REPORT, INITIAL_CONFIDENCE, TurnStatus

BY_AN_AGENT = [
    "coding-implementation",
    "devops-implementation",
    "database-design",
    "code-review",
    "documentation-writer",
    "tool-execution",
    "command-runner",
    "test-runner",
]
AT_ONCE = [
    "technical-qa",
    "architecture-analysis",
    "doc-search",
    "explanation",
    "general-convo",
    "social",
    "writing",
    "proofreader",
    "shell-command",
]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TaskType, {*BY_AN_AGENT, *AT_ONCE}),
        (
            AgentRole,
            {
                "command-executor",
                "python-coder",
                "js-ts-coder",
                "devops-engineer",
                "architect",
                "code-reviewer",
                "documentation-writer",
                "dba",
                "researcher",
            },
        ),
        (FlowType, {"simple", "sequential-thinking", "branch", "breakglass"}),
        (Complexity, {"simple", "medium", "complex"}),
        (TurnStatus, {"continue", "stuck", "complete", "needs_clarification"}),
        (Interrupt, {"STOP", "CLARIFY", "RETRY", "CONTINUE", "WRONG", "ESCALATE"}),
        (Level, {"Critical", "Low", "Moderate", "High"}),
    ],
)
def test_what_other_systems_read_has_the_published_names(kind: type[StrEnum], values: set[str]) -> None:
    assert {member.value for member in kind} == values


@pytest.mark.parametrize("task", BY_AN_AGENT)
def test_work_is_done_by_an_agent(task: str) -> None:
    assert flow_for(TaskType(task)) is FlowType.SEQUENTIAL


@pytest.mark.parametrize("task", AT_ONCE)
def test_questions_and_talk_are_answered_at_once(task: str) -> None:
    assert flow_for(TaskType(task)) is FlowType.SIMPLE


def test_the_published_figures_hold() -> None:
    assert [max_turns(complexity, 0) for complexity in Complexity] == [10, 20, 35]
    assert CHECKPOINT_INTERVAL == 5
    assert (INITIAL_CONFIDENCE, DEFAULT_SELF_REPORT) == (80, 70)
    assert (APPROVE, DISAPPROVE) == (15, -20)
