"""After a turn: go on, escalate, show a checkpoint, ask people, or end."""

from dataclasses import dataclass, replace
from typing import Any

from discord_agent.domain import cards, escalation, events, signals
from discord_agent.domain.classification import CHECKPOINT_INTERVAL
from discord_agent.domain.conversation import Message, Role
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.escalation import AskPeople, CarryOn, Escalate, Nudge
from discord_agent.domain.run import Next, Outcome, RunState, TurnStatus, Waiting
from discord_agent.ports import Clock, Discord, Journal, Leases, Models, Prompts
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold


@dataclass(frozen=True, slots=True)
class Escalation:
    """The only place where a run is routed."""

    models: Models
    journal: Journal
    leases: Leases
    discord: Discord
    prompts: Prompts
    chronicle: Chronicle
    clock: Clock

    def __call__(self, run: RunState) -> RunState:
        """Decide ``next``; escalation resets the signals and tells the model who works now."""
        hold(self.leases, run)
        ended = _ended(run)
        if ended is not None:
            return replace(run, outcome=ended, next=Next.EVALUATE)
        if run.status is TurnStatus.NEEDS_CLARIFICATION or run.waiting is Waiting.MONEY:
            return replace(run, next=Next.CLARIFY)
        next_up = self.models.next_up(run.model)
        match escalation.decide(run.signals, run.status, run.task_type, model=run.model, next_up=next_up):
            case Escalate(to, reason):
                return self._escalated(run, replace(run, model=to), reason)
            case AskPeople(reason):
                # An answer is new help: without this the same evidence would make the run ask after every turn.
                question = f"I am stuck ({reason}). {run.question}".strip()
                return replace(run, question=question, signals=signals.after_escalation(run.signals), next=Next.CLARIFY)
            case Nudge(text):
                self._tell_model(run, text)
                return _onwards(run)
            case CarryOn():
                return _onwards(run)

    def _escalated(self, before: RunState, run: RunState, reason: str) -> RunState:
        details: dict[str, Any] = {"from": before.model, "to": run.model, "reason": reason}
        self.chronicle.note(run.thread_id, run.execution_id, "escalation", turn=run.turn, **details)
        self.chronicle.announce(run.thread_id, events.MODEL_ESCALATED, **details)
        self._tell_model(run, self.prompts.render("escalated", model=before.model, reason=reason))
        card = Card(self.discord, self.clock, run)
        card.say(cards.escalation_line(before.model, run.model, reason))
        run = replace(card.keep(run), signals=signals.after_escalation(run.signals), escalations=run.escalations + 1)
        return _onwards(run)

    def _tell_model(self, run: RunState, text: str) -> None:
        context = self.journal.load_context(run)
        if context is None:
            raise InvalidEvent(f"{run.execution_id} has no messages")
        message = Message(Role.USER, text)
        already_told = context.messages[-1:] == (message,)
        if not already_told:
            self.journal.save_context(run, replace(context, messages=(*context.messages, message)))


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
