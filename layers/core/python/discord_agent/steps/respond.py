"""The flow ``simple``: one question, one completion, one answer."""

from dataclasses import dataclass, replace
from typing import Final

from discord_agent.domain import cards, chunking, events, history
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidEvent, OverBudget, Stopped
from discord_agent.domain.posts import Post
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, Outcome, RunState
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus
from discord_agent.ports import Clock, Discord, Executions, Models, Prompts
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.spending import Spending, payer_of, waits_for_money
from discord_agent.steps.strength import first_model
from discord_agent.steps.terminal import Terminal

_HISTORY = 50
_PATTERNS_ONLY: Final = Redactor()


@dataclass(frozen=True, slots=True)
class Respond:
    """No tools, no lease, no thread of its own."""

    spending: Spending
    models: Models
    prompts: Prompts
    discord: Discord
    executions: Executions
    terminal: Terminal
    chronicle: Chronicle
    clock: Clock
    redactor: Redactor = _PATTERNS_ONLY

    def __call__(self, run: RunState) -> RunState:
        """Answer where the question was asked."""
        record = self.executions.get(run.execution_id)
        if record is None:
            raise InvalidEvent(f"no record of {run.execution_id}")
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
                    self._request(run, record), stop_requested=lambda: self.executions.stop_requested(run.execution_id)
                )
        except Stopped:
            return self._end(replace(run, cost=run.cost + purse.cost, outcome=Outcome.STOPPED))
        except OverBudget as error:
            return self._end(replace(waits_for_money(run, error), outcome=Outcome.OUT_OF_BUDGET))
        run = replace(
            run,
            model=reply.model,
            # Before it is cut into messages: half a secret is not recognised later.
            summary=self.redactor.text(reply.message.text).strip() or cards.NO_ANSWER,
            usage=run.usage + reply.usage,
            cost=run.cost + reply.cost,
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

    def _request(self, run: RunState, record: ExecutionRecord) -> ModelRequest:
        in_thread = self.discord.place(run.channel_id).is_thread
        earlier = self.discord.history(run.channel_id, limit=_HISTORY) if in_thread else ()
        question = self.prompts.render(
            "question",
            history=history.lines(earlier, without=run.message_id),
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
