"""How a run of an architect went: judged by what its answer weighs, not by tools and tests (behaviour, section 12.1)."""

import re
from copy import replace
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Final

from discord_agent.domain.classification import AgentRole
from discord_agent.domain.evaluation import (
    LOWEST_SCORE,
    PROGRESS_ABOVE,
    Completion,
    Evaluation,
    Trajectory,
    evaluate,
    findings,
)
from discord_agent.domain.rounding import clamp, half_up
from discord_agent.domain.run import RunState

_DOCUMENTS: Final = frozenset({".md", ".rst", ".txt", ".adoc", ".svg", ".png", ".mmd", ".puml"})
_ENDS_IN_A_RESULT: Final = re.compile(r"conclusion|summary|plan|recommendation", re.IGNORECASE)
_DESIGN: Final = 70
_WEIGHED: Final = (
    (re.compile(r"trade-?\s?off", re.IGNORECASE), 5),
    (re.compile(r"alternative", re.IGNORECASE), 5),
    (re.compile(r"consideration", re.IGNORECASE), 5),
    (re.compile(r"constraint", re.IGNORECASE), 5),
    (re.compile(r"assumption", re.IGNORECASE), 5),
    (re.compile(r"confusing", re.IGNORECASE), -10),
    (re.compile(r"unclear", re.IGNORECASE), -10),
    (re.compile(r"contradiction", re.IGNORECASE), -15),
)
_BY_TURNS: Final = ((3, 90), (8, 100), (12, 80), (15, 60))
_SLOW: Final = 40


def is_design(run: RunState) -> bool:
    """Whether a run was to design something: an architect's, with nothing changed but documents."""
    return run.role is AgentRole.ARCHITECT and all(
        PurePosixPath(path).suffix.lower() in _DOCUMENTS for path in run.files_changed
    )


def evaluate_design(trajectory: Trajectory, text: str) -> Evaluation:
    """Judge a design by its last text; the part called code quality is that of the design."""
    completion, design = _completion(trajectory, text), _design(text)
    efficiency = next((value for most, value in _BY_TURNS if trajectory.turns <= most), _SLOW)
    score = clamp(half_up(Fraction(50 * completion + 35 * design + 15 * efficiency, 100)), LOWEST_SCORE, 100)
    # A design is tangible without a file.
    found = findings(replace(trajectory, files=trajectory.files or 1), score)
    return replace(
        evaluate(trajectory),
        score=score,
        task_completion=completion,
        code_quality=design,
        efficiency=float(efficiency),
        has_progress=score > PROGRESS_ABOVE and trajectory.completion is not Completion.FAILED,
        issues=tuple(issue for issue, _ in found),
        suggestions=tuple(suggestion for _, suggestion in found),
    )


def _completion(trajectory: Trajectory, text: str) -> int:
    match trajectory.completion:
        case Completion.COMPLETE:
            return 100
        case Completion.FAILED:
            return 20
        case Completion.INCOMPLETE:
            return 75 if _ENDS_IN_A_RESULT.search(text) else 50


def _design(text: str) -> int:
    return clamp(_DESIGN + sum(points for pattern, points in _WEIGHED if pattern.search(text)), 20, 100)
