"""How a run's signals move on: after a turn, its score, a correction by a person, an escalation."""

import re
from collections.abc import Sequence
from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain import stuck
from discord_agent.domain.confidence import LOW_SCORE
from discord_agent.domain.conversation import ToolCall, ToolResult
from discord_agent.domain.run import Signals, TurnStatus

FILE_WRITERS: Final = frozenset({"file-write_file", "file-edit_file", "file-create_directory", "file-move_file"})
"""File tools of other servers, which do not report what they changed: their success counts as progress."""

_SIGNIFICANT_TAIL = 2000
_SIGNATURE_LENGTH = 160
_NOISE = (
    (re.compile(r"0x[0-9a-f]+"), "#"),
    (re.compile(r"\b[0-9a-f]{7,}\b"), "#"),
    (re.compile(r"\d+"), "#"),
    (re.compile(r"(/[\w.+-]+)+/"), "/"),
    (re.compile(r"\s+"), " "),
)


def after_turn(
    signals: Signals, results: Sequence[ToolResult], status: TurnStatus, *, calls: Sequence[ToolCall] = ()
) -> Signals:
    """The signals after a turn with these tool results, in order, of these calls.

    Calls that were interrupted say nothing about the model and are left out. One failure counts once per turn,
    however often the turn ran into it; a turn without failures clears the count. So does a turn that does not end
    in a circle with the count of those that do.
    """
    finished = [result for result in results if not result.facts.get("interrupted")]
    failed = [result for result in finished if is_failure(result)]
    tests = _last_tests(finished) or _Tests(signals.tests_run, signals.tests_passed)
    steps = stuck.remembered((*signals.steps, *_marks(calls, finished)))
    same_errors, last_error = _same_errors(signals, [failure_signature(result) for result in failed])
    return replace(
        signals,
        same_errors=same_errors,
        last_error=last_error,
        no_progress_turns=0 if any(map(_made_progress, finished)) else signals.no_progress_turns + 1,
        tool_calls=len(finished),
        tool_successes=len(finished) - len(failed),
        total_tool_calls=signals.total_tool_calls + len(finished),
        tests_run=tests.run,
        tests_passed=tests.passed,
        repeats=signals.repeats + 1 if finished and stuck.circle(steps) else 0,
        steps=steps,
        failures=signals.failures + len(failed) + (status is TurnStatus.STUCK),
    )


def after_score(signals: Signals, score: int) -> Signals:
    """The signals once the turn's confidence score is known."""
    streak = signals.low_confidence_streak + 1 if score < LOW_SCORE else 0
    return replace(signals, low_confidence_streak=streak)


def after_correction(signals: Signals) -> Signals:
    """The signals after a person said that the work is wrong."""
    return replace(signals, corrections=signals.corrections + 1)


def after_retry(signals: Signals) -> Signals:
    """The signals after a person asked to try once more."""
    return replace(
        signals,
        same_errors=max(0, signals.same_errors - 1),
        no_progress_turns=max(0, signals.no_progress_turns - 1),
    )


def after_override(signals: Signals) -> Signals:
    """The signals after a person said to go on in spite of a low confidence."""
    return replace(signals, low_confidence_streak=0)


def after_escalation(signals: Signals) -> Signals:
    """The signals a stronger model starts with: none of the evidence against the weaker one."""
    return replace(
        signals,
        same_errors=0,
        last_error="",
        no_progress_turns=0,
        corrections=0,
        low_confidence_streak=0,
        repeats=0,
        steps=(),
    )


def is_failure(result: ToolResult) -> bool:
    """Whether a tool call did not do what it was asked for."""
    return not result.ok or result.facts.get("exit_code", 0) != 0


def failure_signature(result: ToolResult) -> str:
    """What makes two failures the same: the tool and its message without numbers, addresses, folders and spacing.

    The end of a long message is kept: that is where programs say what went wrong.
    """
    text = result.text[-_SIGNIFICANT_TAIL:].lower()
    for pattern, replacement in _NOISE:
        text = pattern.sub(replacement, text)
    return f"{result.name}: {text.strip()[-_SIGNATURE_LENGTH:]}"


def _same_errors(signals: Signals, signatures: list[str]) -> tuple[int, str]:
    if not signatures:
        return 0, ""
    if signals.last_error in signatures:
        return signals.same_errors + 1, signals.last_error
    return 1, signatures[-1]


def _marks(calls: Sequence[ToolCall], finished: Sequence[ToolResult]) -> list[str]:
    by_id = {call.id: call for call in calls}
    return [
        stuck.mark(by_id[result.call_id], result, failure=failure_signature(result) if is_failure(result) else "")
        for result in finished
        if result.call_id in by_id
    ]


def _made_progress(result: ToolResult) -> bool:
    wrote = result.ok and result.name in FILE_WRITERS
    return wrote or bool(result.facts.get("paths_changed"))


class _Tests(Struct, frozen=True):
    run: int
    passed: int


def _last_tests(results: Sequence[ToolResult]) -> _Tests | None:
    """The counts of the last test run; they come from the sandbox, so counts that cannot be are left out."""
    for result in reversed(results):
        match result.facts.get("tests"):
            case {"run": int(run), "passed": int(passed)} if 0 <= passed <= run and run > 0:
                return _Tests(run, passed)
    return None
