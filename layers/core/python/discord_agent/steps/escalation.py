"""After a turn: go on, escalate, show a checkpoint, ask people, or end."""

from copy import replace
from typing import Any, Final

from msgspec import Struct

from discord_agent.domain import cards, escalation, events, measures, signals
from discord_agent.domain.classification import CHECKPOINT_INTERVAL
from discord_agent.domain.conversation import Message, Role
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.escalation import AskPeople, CarryOn, Escalate, Nudge, Verdict
from discord_agent.domain.run import HandedOn, Next, Outcome, RunState, TurnStatus, Waiting
from discord_agent.domain.session import Lease
from discord_agent.ports import Clock, Discord, Executions, Journal, Leases, Models, Prompts, Sessions
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold

_KEPT: Final = 20
"""How many escalations a thread remembers."""


class Escalation(Struct, frozen=True):
    """The only place where a run is routed."""

    models: Models
    journal: Journal
    leases: Leases
    sessions: Sessions
    executions: Executions
    discord: Discord
    prompts: Prompts
    chronicle: Chronicle
    clock: Clock

    def __call__(self, run: RunState) -> RunState:
        """Decide ``next``; escalation resets the signals and tells the model who works now."""
        lease = hold(self.leases, run)
        ended = _ended(run)
        if ended is not None:
            return replace(run, outcome=ended, next=Next.EVALUATE)
        asks = run.status is TurnStatus.NEEDS_CLARIFICATION
        if run.waiting is Waiting.MONEY or (asks and not run.wants_stronger):
            return replace(run, next=Next.CLARIFY)
        match self._verdict(run):
            case Escalate(to, reason):
                return self._escalated(run, replace(run, model=to), reason, lease)
            case AskPeople(reason):
                # An answer is new help: without this the same evidence would make the run ask after every turn.
                cleared = signals.after_escalation(run.signals)
                return replace(
                    run, question=_at_the_top(run, reason), signals=cleared, wants_stronger=False, next=Next.CLARIFY
                )
            case Nudge(text):
                return _onwards(self._nudged(run, text))
            case CarryOn():
                return _onwards(run)

    def _verdict(self, run: RunState) -> Verdict:
        next_up = self.models.next_up(run.model)
        return escalation.decide(
            run.signals,
            run.status,
            run.task_type,
            model=run.model,
            next_up=next_up,
            is_asked_for=run.wants_stronger,
        )

    def _escalated(self, before: RunState, run: RunState, reason: str, lease: Lease) -> RunState:
        details: dict[str, Any] = {"from": before.model, "to": run.model, "reason": reason}
        self.chronicle.note(run.thread_id, run.execution_id, "escalation", turn=run.turn, **details)
        self.chronicle.announce(run.thread_id, events.MODEL_ESCALATED, **details)
        self.chronicle.measure(measures.ESCALATIONS)
        self._remember(
            HandedOn(run.turn, before.model, run.model, reason, self.clock.now(), run.execution_id), run, lease
        )
        self._tell_model(run, self.prompts.render("escalated", model=before.model, reason=reason))
        card = Card(self.discord, self.clock, run)
        card.say(cards.escalation_line(before.model, run.model, reason))
        run = replace(
            card.keep(run),
            signals=signals.after_escalation(run.signals),
            escalations=run.escalations + 1,
            wants_stronger=False,
        )
        asks = run.status is TurnStatus.NEEDS_CLARIFICATION
        return replace(run, next=Next.CLARIFY) if asks else _onwards(run)

    def _remember(self, handed_on: HandedOn, run: RunState, lease: Lease) -> None:
        """Write it to session and execution, once also when this step is tried again."""
        in_thread = self.sessions.get(run.thread_id).escalations
        if not any(_is_same(handed_on, earlier) for earlier in in_thread):
            newest = (*in_thread, handed_on)[-_KEPT:]
            self.sessions.update(run.thread_id, lease=lease, escalations=newest)
        record = self.executions.get(run.execution_id)
        if record is not None and not any(_is_same(handed_on, earlier) for earlier in record.escalations):
            reasons = replace(record.reasons, model=f"took over from {handed_on.before}: {handed_on.reason}")
            escalations = (*record.escalations, handed_on)
            self.executions.update(run.execution_id, lease=lease, escalations=escalations, reasons=reasons)

    def _nudged(self, run: RunState, text: str) -> RunState:
        self.chronicle.note(run.thread_id, run.execution_id, "nudge", turn=run.turn, text=text)
        self._tell_model(run, text)
        card = Card(self.discord, self.clock, run)
        card.detail(cards.nudge_line(text))
        return card.keep(run)

    def _tell_model(self, run: RunState, text: str) -> None:
        context = self.journal.load_context(run)
        if context is None:
            raise InvalidEvent(f"{run.execution_id} has no messages")
        message = Message(Role.USER, text)
        already_told = context.messages[-1:] == (message,)
        if not already_told:
            self.journal.save_context(run, replace(context, messages=(*context.messages, message)))


def _is_same(one: HandedOn, other: HandedOn) -> bool:
    return (one.execution_id, one.turn) == (other.execution_id, other.turn)


def _at_the_top(run: RunState, reason: str) -> str:
    """The question to people when no stronger model is left."""
    if run.wants_stronger:
        return f"{run.model} is the strongest model there is, and {reason}. What should be done differently?"
    return f"I am stuck ({reason}). {run.question}".strip()


def _ended(run: RunState) -> Outcome | None:
    if run.outcome is not None or run.waiting is Waiting.MONEY:
        return run.outcome
    if run.status is TurnStatus.COMPLETE:
        return Outcome.DONE
    is_last_turn = run.turn >= run.max_turns and run.status is not TurnStatus.NEEDS_CLARIFICATION
    return Outcome.OUT_OF_TURNS if is_last_turn else None


def _onwards(run: RunState) -> RunState:
    is_checkpoint = run.turn % CHECKPOINT_INTERVAL == 0
    return replace(run, next=Next.CHECKPOINT if is_checkpoint else Next.TURN)
