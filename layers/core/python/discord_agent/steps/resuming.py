"""Going on from an earlier run's turn, instead of planning anew."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import cards
from discord_agent.domain.conversation import Message, Role
from discord_agent.domain.run import Resumption, RunState
from discord_agent.domain.session import ExecutionRecord, Lease, Session
from discord_agent.ports import Context, Executions, Journal, Models, Prompts, Sessions
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.strength import first_model


class Resuming(Struct, frozen=True):
    """Takes over the conversation of the run that somebody continues, or went back to a turn of."""

    models: Models
    prompts: Prompts
    journal: Journal
    sessions: Sessions
    executions: Executions
    chronicle: Chronicle

    def __call__(
        self, run: RunState, record: ExecutionRecord, session: Session, lease: Lease, card: Card
    ) -> RunState | None:
        """The run as it goes on, its conversation stored; None when there is nothing to go on from."""
        resumption = session.resume or record.resumes
        earlier = self._earlier(run, resumption)
        if resumption is None or earlier is None or earlier.reached is None:
            return None
        taken_over = self._taken_over(run, resumption, earlier.reached)
        note = self.prompts.render("resumed", turn=resumption.turn, request=self._new_request(record, resumption))
        messages = (*earlier.messages, Message(Role.USER, note))
        opened = self.journal.load_context(run) or Context((), turn=0)
        self.journal.save_context(taken_over, replace(opened, messages=messages, reached=taken_over))
        # The row first: an attempt after this one finds there what the session no longer holds.
        self.executions.update(run.execution_id, lease=lease, resumes=resumption)
        self.sessions.update(run.thread_id, lease=lease, resume=None)
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "resumed",
            after=resumption.execution_id,
            turn=resumption.turn,
            maxTurns=taken_over.max_turns,
            model=taken_over.model,
        )
        card.say(cards.resumed_line(resumption.turn, taken_over))
        return taken_over

    def _earlier(self, run: RunState, resumption: Resumption | None) -> Context | None:
        if resumption is None:
            return None
        return self.journal.context_at(run.thread_id, resumption.execution_id, resumption.turn)

    def _taken_over(self, run: RunState, resumption: Resumption, reached: RunState) -> RunState:
        """The new run with the plan, the role and the model of the earlier one, and as many turns once more."""
        return replace(
            run,
            topic=reached.topic,
            role=reached.role,
            task_type=reached.task_type,
            complexity=reached.complexity,
            model=first_model(self.models, run, reached.model),
            wants_stronger=False,
            max_turns=reached.max_turns,
            confidence=reached.confidence,
            reported_confidence=reached.reported_confidence,
            files_changed=reached.files_changed,
            resumes=resumption,
        )

    def _new_request(self, record: ExecutionRecord, resumption: Resumption) -> str:
        """What is asked for now, "" if it is what the earlier run was asked for."""
        earlier = self.executions.get(resumption.execution_id)
        return "" if earlier is not None and earlier.request == record.request else record.request
