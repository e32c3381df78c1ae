"""How a run went, judged by its figures alone (behaviour contract, section 12.1)."""

from enum import StrEnum
from fractions import Fraction
from typing import Final, Self

from msgspec import Struct

from discord_agent.domain.rounding import clamp, half_up
from discord_agent.domain.run import RunState, TurnStatus
from discord_agent.domain.session import LastRun

LOWEST_SCORE: Final = 10
PROGRESS_ABOVE: Final = 40
_LONG_RUN = 10
_POOR_SCORE = 50


class Completion(StrEnum):
    """How far a run came."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


_COMPLETION_OF = {TurnStatus.COMPLETE: Completion.COMPLETE, TurnStatus.STUCK: Completion.FAILED}


class Trajectory(Struct, frozen=True):
    """The figures of a run; ``errors`` counts failed tool calls and stuck turns."""

    completion: Completion
    turns: int
    max_turns: int
    tool_calls: int = 0
    files: int = 0
    errors: int = 0

    @classmethod
    def of(cls, run: RunState) -> Self:
        """The figures of ``run`` as it stands."""
        return cls(
            completion=_COMPLETION_OF.get(run.status, Completion.INCOMPLETE),
            turns=run.turn,
            max_turns=run.max_turns,
            tool_calls=run.signals.total_tool_calls,
            files=len(run.files_changed),
            errors=run.signals.failures,
        )

    @property
    def has_output(self) -> bool:
        """Whether anything tangible was done."""
        return self.files > 0 or self.tool_calls > 0

    def __str__(self) -> str:
        return (
            f"turns: {self.turns}, tool calls: {self.tool_calls}, files changed: {self.files}, ended {self.completion}"
        )


class Evaluation(Struct, frozen=True):
    """A verdict on a run: the score (10 to 100), its three parts (each up to 100) and what follows from it."""

    score: int
    task_completion: int
    code_quality: int
    efficiency: float
    reasoning: str
    has_progress: bool
    issues: tuple[str, ...]
    suggestions: tuple[str, ...]

    def as_last_run(self, trajectory: Trajectory) -> LastRun:
        """What the next plan is told about this run."""
        return LastRun(
            trajectory=str(trajectory),
            score=self.score,
            task_completion=self.task_completion,
            code_quality=self.code_quality,
            efficiency=self.efficiency,
            issues=self.issues,
            suggestions=self.suggestions,
            reasoning=self.reasoning,
        )


def evaluate(trajectory: Trajectory) -> Evaluation:
    """Judge a run."""
    task_completion = _task_completion(trajectory)
    code_quality = _code_quality(trajectory)
    efficiency = _efficiency(trajectory)
    exact = Fraction(50 * task_completion + 30 * code_quality, 100) + efficiency / 5
    score = clamp(half_up(exact), LOWEST_SCORE, 100)
    found = findings(trajectory, score)
    return Evaluation(
        score=score,
        task_completion=task_completion,
        code_quality=code_quality,
        efficiency=float(efficiency),
        reasoning=f"{trajectory.completion} after {trajectory.turns} of {trajectory.max_turns} turns, "
        f"errors: {trajectory.errors}, files changed: {trajectory.files}",
        has_progress=score > PROGRESS_ABOVE and trajectory.completion is not Completion.FAILED,
        issues=tuple(issue for issue, _ in found),
        suggestions=tuple(suggestion for _, suggestion in found),
    )


def _task_completion(trajectory: Trajectory) -> int:
    match trajectory.completion:
        case Completion.COMPLETE:
            return 100
        case Completion.FAILED:
            return 20
        case Completion.INCOMPLETE:
            return 60 if trajectory.has_output else 30


def _code_quality(trajectory: Trajectory) -> int:
    errors_per_turn = Fraction(trajectory.errors, max(trajectory.turns, 1))
    if errors_per_turn == 0:
        return 100
    if errors_per_turn < Fraction(1, 5):
        return 80
    return 60 if errors_per_turn < Fraction(2, 5) else 40


def _efficiency(trajectory: Trajectory) -> Fraction:
    used = Fraction(trajectory.turns, max(trajectory.max_turns, 1))
    return clamp(100 - 50 * used - 10 * trajectory.errors, Fraction(20), Fraction(100))


def findings(trajectory: Trajectory, score: int) -> tuple[tuple[str, str], ...]:
    """What was wrong, each with what to do about it next time."""
    rules = (
        (
            trajectory.completion is Completion.FAILED,
            "The run ended stuck.",
            "Review the errors of the last turns before doing anything else.",
        ),
        (
            trajectory.errors > 0,
            f"Errors occurred: {trajectory.errors}.",
            "Find the cause of the errors first, then go on.",
        ),
        (
            trajectory.turns > _LONG_RUN,
            f"The run took {trajectory.turns} turns.",
            "Split the task into smaller ones.",
        ),
        (
            not trajectory.has_output,
            "No file was changed and no tool was used.",
            "Produce something tangible: use the tools.",
        ),
        (
            score < _POOR_SCORE,
            f"The score is low ({score}).",
            "Start with a stronger model.",
        ),
    )
    return tuple((issue, suggestion) for holds, issue, suggestion in rules if holds)
