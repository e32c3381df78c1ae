"""The flow ``simple``: one question, one completion, one answer."""

from dataclasses import dataclass, replace
from typing import Final

from discord_agent.domain import cards, chunking, events
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidEvent, OverBudget, Stopped
from discord_agent.domain.posts import Post
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, Outcome, RunState
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus
from discord_agent.ports import Clock, Discord, Executions, Models, Prompts
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.recall import Recall
from discord_agent.steps.spending import Purse, Spending, payer_of, waits_for_money
from discord_agent.domain import history
from discord_agent.domain.classification import UNRELATED_TASKS, TaskType
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.inbound import InboundMessage
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Discord, Models, Prompts
from discord_agent.steps.answering import Answering
from discord_agent.steps.strength import first_model

_PATTERNS_ONLY: Final = Redactor()
_HISTORY: Final = 50
_OFFERS: Final = {TaskType.ARCHITECTURE: "Implement this"}
"""Answers that an agent may carry out, with the label of the button."""


@dataclass(frozen=True, slots=True)
class Respond:
    """Every kind of question has its own instructions; all of them are answered alike."""

    answering: Answering
    models: Models
    prompts: Prompts
    discord: Discord
    executions: Executions
    terminal: Terminal
    chronicle: Chronicle
    clock: Clock
    recall: Recall
    redactor: Redactor = _PATTERNS_ONLY

    def __call__(self, run: RunState) -> RunState:
        """Answer where the question was asked."""
        record = self.answering.begin(run)
        if record.terminal_message_id is not None:
            return replace(run, outcome=record.outcome, next=Next.END)
        self.executions.update(run.execution_id, status=ExecutionStatus.PROCESSING)
        self.chronicle.announce(run.thread_id, events.EXECUTION_STARTED, taskType=run.task_type, agentRole=run.role)
        self.discord.typing(run.channel_id)
        # There is no lease to tell attempts apart by.
        purse = self.spending.purse(payer_of(run), Purpose.RESPOND, self.clock.now().isoformat())
        try:
            with purse:
                reply = purse.complete(
                    self._request(run, record, purse),
                    stop_requested=lambda: self.executions.stop_requested(run.execution_id),
                )
        except Stopped:
            return self._end(replace(run, cost=run.cost + purse.cost, outcome=Outcome.STOPPED))
        except OverBudget as error:
            spent = replace(waits_for_money(run, error), cost=run.cost + purse.cost)
            return self._end(replace(spent, outcome=Outcome.OUT_OF_BUDGET))
        run = replace(
            run,
            model=reply.model,
            # Before it is cut into messages: half a secret is not recognised later.
            summary=self.redactor.text(reply.message.text).strip() or cards.NO_ANSWER,
            usage=run.usage + purse.usage,
            cost=run.cost + purse.cost,
            outcome=Outcome.DONE,
            next=Next.END,
        )
        run = self.terminal.settled(run)
        first, *more = chunking.posts(run.summary)
        self.terminal.post(run, run.channel_id, (replace(first, reply_to=run.message_id), *more))
        return run

    def _end(self, run: RunState) -> RunState:
        """End without an answer; there is no machine here in which a run could wait."""
        run = self.terminal.settled(replace(run, next=Next.END))
        self.terminal.post(run, run.channel_id, (Post(cards.ending(run, ""), buttons=cards.retry_buttons(run)),))
        return run

    def _said(self, run: RunState, purse: Purse) -> tuple[str, ...]:
        return self.recall.whole(run.thread_id, without=run.message_id, purse=purse, execution=run.execution_id)

    def _request(self, run: RunState, record: ExecutionRecord, purse: Purse) -> ModelRequest:
        is_conversation = run.guild_id is None or self.discord.place(run.channel_id).is_thread
        question = self.prompts.render(
            "question",
            history=self._said(run, purse) if is_conversation else (),
        return self.answering.answer(run, self._request(run, record), offer=_OFFERS.get(run.task_type, ""))

    def _request(self, run: RunState, record: ExecutionRecord) -> ModelRequest:
        question = self.prompts.render(
            "question",
            history=history.lines(self._earlier(run), without=run.message_id),
            author=record.author_name,
            content=record.request,
        )
        return ModelRequest(
            Purpose.RESPOND,
            first_model(self.models, run, self.models.for_task(run.task_type)),
            (
                Message(Role.SYSTEM, self.prompts.render(f"tasks/{run.task_type}")),
                Message(Role.USER, question),
            ),
        )

    def _earlier(self, run: RunState) -> tuple[InboundMessage, ...]:
        needs_none = run.task_type in UNRELATED_TASKS or not self.discord.place(run.channel_id).is_thread
        return () if needs_none else self.discord.history(run.channel_id, limit=_HISTORY)
