"""What a turn makes of its run, from the rounds that were played: figures, signals, confidence, how it ended."""

from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain import confidence, signals
from discord_agent.domain.control_tools import Asked, Ending, Finished, GaveUp
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.money import Cost, Usage
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, Outcome, RunState, Signals, TurnStatus
from discord_agent.steps.rounds import PlayedRound

WHAT_TO_KNOW: Final = "What should I know?"
NOTHING_SAID: Final = "the model answered nothing, twice in a row"

_MOST_FILES: Final = 100


class Played(Struct, frozen=True):
    """The rounds of a turn; ``cost`` and ``usage`` include calls that came to nothing.

    ``too_long``: the conversation no longer fits into the model. ``stopped``: somebody asked the run to stop.
    """

    rounds: tuple[PlayedRound, ...] = ()
    cost: Cost = Cost()
    usage: Usage = Usage()
    too_long: bool = False
    stopped: bool = False

    @property
    def interrupts(self) -> tuple[Interrupt, ...]:
        """What people wanted, in order."""
        return tuple(interrupt for item in self.rounds for interrupt in item.interrupts)

    @property
    def control(self) -> Ending | None:
        """How the model ended the turn, if it did."""
        return self.rounds[-1].control if self.rounds else None

    @property
    def says_nothing(self) -> bool:
        """Whether the model answered nothing twice in a row, and so ended the turn."""
        return len(self.rounds) > 1 and all(item.is_empty for item in self.rounds[-2:])

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that were changed."""
        results = (result for item in self.rounds for result in item.work)
        return tuple(dict.fromkeys(path for result in results for path in result.facts.get("paths_changed", ())))


def advance(run: RunState, number: int, played: Played, redactor: Redactor) -> RunState:
    """The run after turn ``number``, with nothing secret in what it tells people."""
    control = _redacted(played.control, redactor)
    status = _status(control, played)
    reported = _reported(played, run.reported_confidence)
    run = _weighed(run, number, played, status, reported, redactor)
    return replace(
        run,
        turn=number,
        rounds=run.rounds + sum(item.was_asked for item in played.rounds),
        reported_confidence=reported,
        status=status,
        usage=run.usage + played.usage,
        cost=run.cost + played.cost,
        files_changed=tuple(dict.fromkeys((*run.files_changed, *played.paths)))[:_MOST_FILES],
        question=_question(control, played),
        options=control.options if isinstance(control, Asked) else (),
        summary=control.summary if isinstance(control, Finished) else run.summary,
        send_files=control.files if isinstance(control, Finished) else run.send_files,
        wants_stronger=run.wants_stronger or Interrupt.ESCALATE in played.interrupts,
        must_compact=played.too_long,
        outcome=Outcome.STOPPED if played.stopped else None,
        next=Next.EVALUATE,
    )


def _weighed(
    run: RunState, number: int, played: Played, status: TurnStatus, reported: int, redactor: Redactor
) -> RunState:
    """The run with its signals and its score; a turn that people ended before the model worked says nothing about it."""
    before = _after_interrupts(run.signals, played.interrupts)
    was_worked = any(item.was_asked for item in played.rounds)
    if not was_worked:
        return replace(run, signals=before, max_turns=run.max_turns + bool(played.interrupts))
    work = [replace(result, text=redactor.text(result.text)) for item in played.rounds for result in item.work]
    calls = [call for item in played.rounds for call in item.reply.message.tool_calls]
    moved = signals.after_turn(before, work, status, calls=calls)
    score = confidence.score(reported, moved, turn=number)
    return replace(run, signals=signals.after_score(moved, score), confidence=score)


def _after_interrupts(before: Signals, interrupts: tuple[Interrupt, ...]) -> Signals:
    for interrupt in interrupts:
        match interrupt:
            case Interrupt.WRONG:
                before = signals.after_correction(before)
            case Interrupt.RETRY:
                before = signals.after_retry(before)
            case Interrupt.CONTINUE:
                before = signals.after_override(before)
            case _:
                pass
    return before


def _status(control: Ending | None, played: Played) -> TurnStatus:
    if Interrupt.CLARIFY in played.interrupts:
        return TurnStatus.NEEDS_CLARIFICATION
    match control:
        case Finished():
            return TurnStatus.COMPLETE
        case Asked():
            return TurnStatus.NEEDS_CLARIFICATION
        case GaveUp():
            return TurnStatus.STUCK
        case None:
            return TurnStatus.STUCK if played.says_nothing else TurnStatus.CONTINUE


def _question(control: Ending | None, played: Played) -> str:
    if Interrupt.CLARIFY in played.interrupts:
        return WHAT_TO_KNOW
    match control:
        case Asked(question):
            return question
        case GaveUp(reason):
            return reason
        case _:
            return NOTHING_SAID if played.says_nothing else ""


def _reported(played: Played, before: int) -> int:
    """The newest confidence that the model gave, whatever else it said with it."""
    given = [
        control.confidence for item in played.rounds for control in item.controls if control.confidence is not None
    ]
    return given[-1] if given else before


def _redacted(control: Ending | None, redactor: Redactor) -> Ending | None:
    """What the control call tells people, without secrets."""
    match control:
        case Finished():
            return replace(control, summary=redactor.text(control.summary))
        case Asked():
            options = tuple(map(redactor.text, control.options))
            return replace(control, question=redactor.text(control.question), options=options)
        case GaveUp():
            return replace(control, reason=redactor.text(control.reason))
        case None:
            return None
