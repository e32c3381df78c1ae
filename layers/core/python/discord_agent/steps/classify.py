"""From waiting messages to a running flow."""

from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain import routing, rules
from discord_agent.domain.budget import Payer
from discord_agent.domain.classification import Classification, FlowType
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidReply, ModelRefused, ModelUnavailable, OverBudget
from discord_agent.domain.ids import ChannelId, execution_for_message
from discord_agent.domain.inbound import Wakeup
from discord_agent.domain.interrupts import without_mention
from discord_agent.domain.money import Cost, Usage
from discord_agent.domain.posts import Post
from discord_agent.domain.session import ExecutionRecord, InboxItem, ItemKind, Reasons
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
from discord_agent.steps.recall import Recall
from discord_agent.steps.spending import Spending

_DEFAULT: Final = "default"
"""The alias of the model that answers where the flow was chosen, but no model."""
_EMERGENCY: Final = Classification(should_respond=True, reason="a model was named")
_EDITED: Final = "A message that was edited cannot name a model; write it anew."


class Classify(Struct, frozen=True):
    """Gathers an author's messages into one request, decides what it is, starts the flow exactly once."""

    spending: Spending
    models: Models
    prompts: Prompts
    recall: Recall
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
        override = self._override(wakeup)
        record = self.executions.get(execution_for_message(wakeup.message_id)) or self._taken_up(items, override)
        if record is not None:
            launch(self.machines, record)
            if override is not None:
                self.sessions.update(wakeup.thread_id, flow_override=None)
        self.sessions.remove(items)

    def _override(self, wakeup: Wakeup) -> FlowType | None:
        """The flow that the author chose for this request."""
        chosen = self.sessions.get(wakeup.thread_id).flow_override
        return chosen.flow if chosen is not None and chosen.by == wakeup.author_id else None

    def _taken_up(self, items: tuple[InboxItem, ...], override: FlowType | None) -> ExecutionRecord | None:
        """The row of the run that the request gets, stored; None when it gets none."""
        named = _named_model(items, tuple(self.models.aliases()), override)
        if named is None:
            record = self._classified(items, override)
        elif named.is_allowed:
            record = self._emergency(items, named)
        else:
            record = None
            self._refuse(items[-1])
        if record is not None:
            self.executions.create(record)
        return record

    def _classified(self, items: tuple[InboxItem, ...], override: FlowType | None) -> ExecutionRecord | None:
        newest = items[-1]
        decision, usage, cost = self._decide(items, forced=override is not None or any(item.forced for item in items))
        if not decision.should_respond:
            self.chronicle.note(newest.thread_id, None, "ignored", cost=cost, reason=decision.reason)
            return None
        text = request_text(items)
        route = routing.route(text, decision, override=override)
        reasons = Reasons(route.why, decision.reason, self._why_model(route.flow, decision, text))
        return replace(self._record(items, route.flow, decision, reasons), usage=usage, cost=cost)

    def _emergency(self, items: tuple[InboxItem, ...], named: "_Named") -> ExecutionRecord:
        """Nobody is asked what kind of request it is: a person has decided who answers it."""
        written = "" if named.override else named.alias
        route = routing.route(named.request, _EMERGENCY, alias=written, override=named.override)
        model = self.models.breakglass(named.alias)
        why = f"@{named.alias} stands for {model}" if model else f"@{named.alias} is no alias"
        record = self._record(items, FlowType.BREAKGLASS, _EMERGENCY, Reasons(route.why, "nobody but the model", why))
        return replace(record, request=named.request, alias=named.alias)

    def _why_model(self, flow: FlowType, decision: Classification, text: str) -> str:
        match flow:
            case FlowType.BRANCH:
                return f"{routing.options_tier(text)} weighs options"
            case FlowType.SEQUENTIAL:
                return f"{self.models.for_role(decision.role)} is the model of a {decision.role}"
            case _:
                return f"{self.models.for_task(decision.task_type)} answers {decision.task_type}"

    def _refuse(self, newest: InboxItem) -> None:
        """What was edited after it was looked at was never allowed."""
        self.chronicle.note(newest.thread_id, None, "refused", actor=newest.author_id, sentence=_EDITED)
        nonce = f"m-{newest.message_id}/refused"
        self.discord.send(ChannelId(newest.thread_id), Post(_EDITED, reply_to=newest.message_id), nonce=nonce)

    def _decide(self, items: tuple[InboxItem, ...], *, forced: bool) -> tuple[Classification, Usage, Cost]:
        newest = items[-1]
        text = request_text(items)
        is_direct = newest.guild_id is None
        earlier = self.recall.glance(newest.thread_id, without=newest.message_id, direct=is_direct)
        request = ModelRequest(
            Purpose.DECIDE,
            self.models.for_purpose(Purpose.DECIDE),
            (
                Message(Role.SYSTEM, self.prompts.render("decide")),
                Message(
                    Role.USER,
                    self.prompts.render(
                        "decide_request",
                        history=earlier,
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
                reply, spent = ask(purse, request, DecideReply)
                decision = reply.classification(forced=forced)
                if spent.adjusted:
                    self.chronicle.note(newest.thread_id, None, "decision_adjusted", reasons=list(spent.adjusted))
            except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget) as error:
                reason = f"{type(error).__name__}: {error}"
                self.chronicle.note(newest.thread_id, None, "decision_failed", reason=reason)
                decision = rules.classify_by_rules(text, forced=forced)
        return decision, purse.usage, purse.cost

    def _record(
        self, items: tuple[InboxItem, ...], flow: FlowType, decision: Classification, reasons: Reasons
    ) -> ExecutionRecord:
        newest = items[-1]
        return ExecutionRecord(
            execution_for_message(newest.message_id),
            newest.thread_id,
            ChannelId(newest.thread_id),
            newest.message_id,
            newest.author_id,
            newest.author_name,
            flow=flow,
            request=request_text(items),
            created_at=self.clock.now(),
            guild_id=newest.guild_id,
            attachments=tuple(attachment for item in items for attachment in item.attachments),
            classification=decision,
            reasons=reasons,
        )


class _Named(Struct, frozen=True):
    """A request to a model that the person named; ``override`` when that was done with a command."""

    alias: str
    request: str
    is_allowed: bool
    override: FlowType | None = None


def _named_model(items: tuple[InboxItem, ...], aliases: tuple[str, ...], override: FlowType | None) -> _Named | None:
    """Which model an author named, in whichever of the messages; a name that nobody knows is allowed to be told so."""
    is_chosen = override is FlowType.BREAKGLASS
    for place, item in enumerate(items):
        text = without_mention(item.content)
        called = routing.breakglass(text, aliases)
        if called is not None:
            said = (*_said(items[:place]), called.message, *_said(items[place + 1 :]))
            return _Named(called.alias, "\n".join(said).strip(), is_chosen or item.breakglass)
        unknown = routing.unknown_alias(text, aliases, is_one=is_chosen)
        if unknown:
            return _Named(unknown, request_text(items), is_allowed=True)
    return _Named(_DEFAULT, request_text(items), is_allowed=True, override=override) if is_chosen else None


def _said(items: tuple[InboxItem, ...]) -> tuple[str, ...]:
    return tuple(item.said for item in items)


def request_text(items: tuple[InboxItem, ...]) -> str:
    """The messages of one author as one request, without the mentions by which they address the bot."""
    return "\n".join(item.said for item in items).strip()
