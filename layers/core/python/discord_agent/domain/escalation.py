"""When a run is handed to a stronger model, and to which (behaviour contract, section 10)."""

from typing import Final

from msgspec import Struct

from discord_agent.domain import stuck
from discord_agent.domain.classification import READING_TASKS, TaskType
from discord_agent.domain.ids import ModelName
from discord_agent.domain.run import Signals, TurnStatus

LOW_CONFIDENCE_TURNS: Final = 2
SAME_ERRORS: Final = 3
NO_PROGRESS_TURNS: Final = 5
CORRECTIONS: Final = 2
REPEATS: Final = 3
"""So many turns in a row may end going round in circles."""
NUDGE_AHEAD: Final = 2
"""A nudge comes this many turns before a threshold."""


ASKED_FOR: Final = "a stronger model was asked for"


class Escalate(Struct, frozen=True):
    """Go on with a stronger model."""

    to: ModelName
    reason: str


class AskPeople(Struct, frozen=True):
    """No stronger model is left: ask a person."""

    reason: str


class Nudge(Struct, frozen=True):
    """Go on with the same model, which is told ``text``."""

    text: str


class CarryOn(Struct, frozen=True):
    """Nothing to do."""


type Verdict = Escalate | AskPeople | Nudge | CarryOn


def decide(
    signals: Signals,
    status: TurnStatus,
    task: TaskType,
    *,
    model: ModelName,
    next_up: ModelName,
    is_asked_for: bool = False,
) -> Verdict:
    """What follows from a turn; ``next_up`` is the model above ``model``, itself at the top of the path.

    ``is_asked_for``: people want a stronger model, whatever the signals say.
    """
    wish = (ASKED_FOR,) if is_asked_for else ()
    reason = "; ".join((*wish, *triggers(signals, status, task)))
    if reason:
        return AskPeople(reason) if next_up == model else Escalate(next_up, reason)
    text = "\n".join(nudges(signals, task))
    return Nudge(text) if text else CarryOn()


def triggers(signals: Signals, status: TurnStatus, task: TaskType) -> tuple[str, ...]:
    """Every reason to escalate that holds after a turn, as people read it."""
    rules = (
        (
            signals.low_confidence_streak >= LOW_CONFIDENCE_TURNS,
            f"confidence below 30% for {signals.low_confidence_streak} turns",
        ),
        (signals.same_errors >= SAME_ERRORS, f"same error {signals.same_errors} times"),
        (
            signals.no_progress_turns >= NO_PROGRESS_TURNS and task not in READING_TASKS,
            f"no file changes for {signals.no_progress_turns} turns",
        ),
        (
            signals.repeats >= REPEATS,
            f"going round in circles for {signals.repeats} turns ({stuck.circle(signals.steps)})",
        ),
        (status is TurnStatus.STUCK, "the model reports that it is stuck"),
        (signals.corrections >= CORRECTIONS, f"corrected by people {signals.corrections} times"),
    )
    return tuple(reason for holds, reason in rules if holds)


def nudges(signals: Signals, task: TaskType) -> tuple[str, ...]:
    """What to tell the model two turns before a counted trigger would fire."""
    rules = (
        (
            signals.repeats == REPEATS - NUDGE_AHEAD,
            f"You go round in circles: {stuck.circle(signals.steps)}. Do something else now, finish, or ask.",
        ),
        (
            signals.same_errors == SAME_ERRORS - NUDGE_AHEAD,
            # The model has the message itself, and what makes failures the same is nothing that people can read.
            f"A call of {signals.last_error.partition(':')[0]} failed. Read its message and change the approach.",
        ),
        (
            signals.no_progress_turns == NO_PROGRESS_TURNS - NUDGE_AHEAD and task not in READING_TASKS,
            f"No file has changed for {signals.no_progress_turns} turns. Make the next change now, finish, or ask.",
        ),
    )
    warning = f"After {NUDGE_AHEAD} more turns like this one the work is handed on."
    return tuple(f"{text} {warning}" for holds, text in rules if holds)
