"""From waiting messages to a running flow."""

from dataclasses import dataclass
from typing import Final

from discord_agent.domain import history, routing
from discord_agent.domain.budget import Payer
from discord_agent.domain.classification import Classification, flow_for
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidReply, ModelRefused, ModelUnavailable, OverBudget
from discord_agent.domain.ids import ChannelId, MessageId, ThreadId, UserId, execution_for_message
from discord_agent.domain.money import Cost, Usage
from discord_agent.domain.session import ExecutionRecord, InboxItem, ItemKind
from discord_agent.ports import (
    Clock,
    Discord,
    Executions,
    Machines,
    Models,
    Prompts,
    Sessions,
)
from discord_agent.replies import DecideReply
from discord_agent.steps.asking import ask
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.launch import launch
from discord_agent.steps.spending import Spending

_HISTORY: Final = 20


@dataclass(frozen=True, slots=True)
class Wakeup:
    """One wake-up: acted on only if it belongs to the author's newest waiting message."""

    thread_id: ThreadId
    author_id: UserId
    message_id: MessageId


@dataclass(frozen=True, slots=True)
class Classify:
    """Gathers an author's messages into one request, decides what it is, starts the flow exactly once."""

    spending: Spending
    models: Models
    prompts: Prompts
    discord: Discord
    sessions: Sessions
    executions: Executions
    machines: Machines
    chronicle: Chronicle
    clock: Clock

    def __call__(self, wakeup: Wakeup) -> None:
        """Handle a wake-up; a superseded or repeated one does nothing."""
        waiting = self.sessions.waiting(wakeup.thread_id, ItemKind.REQUEST)
        items = tuple(item for item in waiting if item.author_id == wakeup.author_id)
        is_newest = bool(items) and items[-1].message_id == wakeup.message_id
        if not is_newest:
            return
        record = self.executions.get(execution_for_message(wakeup.message_id))
        if record is None:
            decision, usage, cost = self._decide(items)
            if not decision.should_respond:
                self.chronicle.note(wakeup.thread_id, None, "ignored", cost=cost, reason=decision.reason)
                self.sessions.remove(items)
                return
            record = self._record(items, decision, usage, cost)
            self.executions.create(record)
        launch(self.machines, record)
        self.sessions.remove(items)

    def _decide(self, items: tuple[InboxItem, ...]) -> tuple[Classification, Usage, Cost]:
        newest = items[-1]
        forced = any(item.forced for item in items)
        text = request_text(items)
        earlier = self.discord.history(ChannelId(newest.thread_id), limit=_HISTORY)
        request = ModelRequest(
            Purpose.DECIDE,
            self.models.for_purpose(Purpose.DECIDE),
            (
                Message(Role.SYSTEM, self.prompts.render("decide")),
                Message(
                    Role.USER,
                    self.prompts.render(
                        "decide_request",
                        history=history.lines(earlier, without=newest.message_id),
                        author=newest.author_name,
                        content=text,
                        forced=forced,
                    ),
                ),
            ),
            max_output_tokens=500,
        )
        payer = Payer(execution_for_message(newest.message_id), newest.author_id, newest.guild_id)
        # There is no lease to tell attempts apart by.
        with self.spending.purse(payer, Purpose.DECIDE, self.clock.now().isoformat()) as purse:
            try:
                decision = ask(purse, request, DecideReply)[0].classification(forced=forced)
            except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget) as error:
                reason = f"{type(error).__name__}: {error}"
                self.chronicle.note(newest.thread_id, None, "decision_failed", reason=reason)
                decision = routing.classify_by_rules(text, forced=forced)
        return decision, purse.usage, purse.cost

    def _record(
        self, items: tuple[InboxItem, ...], decision: Classification, usage: Usage, cost: Cost
    ) -> ExecutionRecord:
        newest = items[-1]
        return ExecutionRecord(
            execution_for_message(newest.message_id),
            newest.thread_id,
            ChannelId(newest.thread_id),
            newest.message_id,
            newest.author_id,
            newest.author_name,
            flow=flow_for(decision.task_type),
            request=request_text(items),
            created_at=self.clock.now(),
            guild_id=newest.guild_id,
            attachments=tuple(attachment for item in items for attachment in item.attachments),
            usage=usage,
            cost=cost,
            classification=decision,
        )


def request_text(items: tuple[InboxItem, ...]) -> str:
    """The messages of one author as one request, without the mentions by which they address the bot."""
    return "\n".join(item.said for item in items).strip()
