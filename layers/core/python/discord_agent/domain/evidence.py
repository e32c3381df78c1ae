"""What there is to learn from: facts and people's words, never a score that the system gave itself."""

from discord_agent.domain.run import Outcome, RunState
from discord_agent.domain.session import Objection

_UNWANTED = frozenset({Outcome.FAILED, Outcome.OUT_OF_TURNS, Outcome.OUT_OF_BUDGET, Outcome.NEEDS_YOU, Outcome.STOPPED})


def of_run(run: RunState) -> tuple[str, ...]:
    """What went wrong in a run, in a sentence each; nothing after a clean one."""
    signals = run.signals
    failing = signals.tests_run - signals.tests_passed
    rules = (
        (run.outcome in _UNWANTED, f"The run ended as {run.outcome}{_because(run.question)}."),
        (failing > 0, f"The last test run: {failing} of {signals.tests_run} failed."),
        (signals.failures > 0, f"Tool calls that failed and turns that got stuck: {signals.failures}."),
        (bool(signals.last_error), f"The last error: {signals.last_error}"),
        (signals.corrections > 0, f"People said that the work was wrong: {_times(signals.corrections)}."),
        (run.escalations > 0, f"The run was handed to a stronger model: {_times(run.escalations)}."),
    )
    return tuple(sentence for holds, sentence in rules if holds)


def of_rejection(objection: Objection) -> str:
    """A commit that a person rejected."""
    return f"A person rejected the commit{_because(objection.reason) or ' without giving a reason'}."


def of_dislike(objection: Objection) -> str:
    """A result that a person gave a thumb down."""
    return f"A person gave the result a thumb down{_because(objection.reason)}."


def _because(reason: str) -> str:
    return f": {' '.join(reason.split()).rstrip('.')}" if reason.strip() else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
