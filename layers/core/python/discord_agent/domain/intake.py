"""What an event from Discord means for a thread, as one pure decision (behaviour contract, sections 5 and 11).

The caller loads the facts into a Situation and carries the actions out in order. No model is asked here.
"""

from datetime import UTC, datetime, timedelta

from discord_agent.domain import commanding, controlling, interrupts, policy, routing
from discord_agent.domain.actions import (
    Acknowledge,
    Actions,
    Answer,
    CleanUp,
    DropQueued,
    EditQueued,
    Enqueue,
    Ignore,
    KeepReason,
    Offer,
    Refuse,
    Situation,
    Stop,
    Wake,
    Withdraw,
    is_since,
)
from discord_agent.domain.classification import FlowType
from discord_agent.domain.ids import MessageId, snowflake_time_ms
from discord_agent.domain.inbound import (
    ButtonPressed,
    CommandInvoked,
    Inbound,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    Reaction,
    ThreadDeleted,
)
from discord_agent.domain.interrupts import Interrupt, Interruption
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ExecutionRecord, FlowOverride, ItemKind


def decide(event: Inbound, situation: Situation) -> Actions:
    """What to do about an event, in this order."""
    actions: Actions
    match event:
        case InboundMessage():
            actions = _message(event, situation)
        case MessageEdited(id=message, content=content):
            actions = (EditQueued(message, content),)
        case MessageDeleted(id=message):
            actions = (DropQueued(message),)
        case Reaction():
            actions = controlling.on_reaction(event, situation)
        case ButtonPressed():
            actions = controlling.on_button(event, situation)
        case CommandInvoked():
            actions = commanding.on_command(event, situation)
        case ThreadDeleted(thread_id=thread):
            at_work = situation.at_work
            actions = (*((Stop(at_work.execution_id),) if at_work else ()), CleanUp(thread))
    return actions


def _message(message: InboundMessage, situation: Situation) -> Actions:
    said = interrupts.without_mention(message.content)
    is_breakglass = routing.breakglass(said, situation.breakglass_aliases) is not None
    forced = message.mentions_bot or message.author.is_bot or is_breakglass
    reason = _not_for_us(message, situation, forced=forced)
    if reason:
        return (Ignore(reason),)
    run = situation.at_work
    if run is not None and message.id == run.message_id:
        return (Ignore("being worked on already"),)
    # Who names a model asks it, whatever the run at work is about.
    if run is not None and is_since(message.id, run) and not is_breakglass:
        return _to_run(message, situation, run, forced=forced)
    is_bare_stop = interrupts.from_text(message.content) == Interruption(Interrupt.STOP)
    if run is None and is_bare_stop:
        return (Withdraw(),)
    again, ended = interrupts.taking_up(message.content), _fell_short(message, situation)
    if run is None and again is not None and ended is not None:
        return _interrupting(message, situation, ended, again, forced=forced)
    return _request(message, situation, forced=forced, is_breakglass=is_breakglass)


def _not_for_us(message: InboundMessage, situation: Situation, *, forced: bool) -> str:
    """Why a message is nothing to consider, "" if it is; bots that are not known are never heard."""
    author = message.author
    is_empty = not interrupts.without_mention(message.content) and not message.attachments
    reasons = (
        (author.id == situation.bot_id, "written by the bot itself"),
        (author.is_bot and bool(situation.refusal(policy.Action.RUN, author)), "written by another bot"),
        (not policy.hears(situation.settings, situation.place, addressed=forced), "not meant for the bot"),
        (is_empty, "empty"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _to_run(message: InboundMessage, situation: Situation, run: ExecutionRecord, *, forced: bool) -> Actions:
    """A message in the thread of a run that works or waits: an interrupt, an answer, or something for it to hear."""
    interruption = interrupts.from_text(message.content)
    if interruption is not None:
        return _interrupting(message, situation, run, interruption, forced=forced)
    refusal = situation.refusal(policy.Action.STEER, message.author, run)
    if refusal:
        return _turned_away(refusal, forced=forced)
    if situation.is_parked(run) and not situation.awaits_money(run):
        return Acknowledge(), Answer(run.execution_id, interrupts.without_mention(message.content))
    return Enqueue(ItemKind.STEER, forced), Acknowledge()


def _interrupting(
    message: InboundMessage, situation: Situation, run: ExecutionRecord, interruption: Interruption, *, forced: bool
) -> Actions:
    """An interrupt is told why it does nothing, but people who just talk to each other are not told what they may not."""
    said = interrupts.without_mention(message.content)
    actions = controlling.on_interrupt(interruption, said, message.author, situation, run)
    is_stop = interruption.kind is Interrupt.STOP
    match actions:
        case (Refuse(sentence),):
            return actions if is_stop else _turned_away(sentence, forced=forced)
        case _:
            return actions if is_stop else (Acknowledge(), *actions)


def _fell_short(message: InboundMessage, situation: Situation) -> ExecutionRecord | None:
    """The thread's newest run, if it can be taken up again; after one that is done the same words are a request."""
    newest = situation.concerned if situation.place.joined else None
    if newest is None or newest.outcome in (None, Outcome.DONE):
        return None
    # A word that is delivered again never takes up the try that it started.
    return newest if newest.created_at <= _time_of(message.id) else None


def _request(message: InboundMessage, situation: Situation, *, forced: bool, is_breakglass: bool) -> Actions:
    """A message that may want a run."""
    # Who chose it with /flow was found to be allowed there, where Discord shows permissions.
    is_cleared = situation.flow_override == FlowOverride(FlowType.BREAKGLASS, message.author.id)
    action = policy.Action.BREAKGLASS if is_breakglass and not is_cleared else policy.Action.RUN
    refusal = situation.refusal(action, message.author)
    if refusal:
        return _turned_away(refusal, forced=forced)
    reason = _reason(message, situation)
    if routing.is_stale(_time_of(message.id), situation.now, situation.staleness):
        return *reason, Offer() if forced else Ignore("stale")
    is_certainly_read = forced or situation.place.joined or situation.place.guild_id is None
    seen = (Acknowledge(),) if is_certainly_read else ()
    request = Enqueue(ItemKind.REQUEST, forced, breakglass=is_breakglass)
    return *reason, request, *seen, Wake(_debounce(situation))


def _reason(message: InboundMessage, situation: Situation) -> Actions:
    """Whoever rejected a commit says with their next words what was wrong with it."""
    rejection = situation.rejection
    said = interrupts.without_mention(message.content)
    is_awaited = rejection is not None and rejection.by == message.author.id and not rejection.reason
    return (KeepReason(said),) if is_awaited and said else ()


def _turned_away(refusal: str, *, forced: bool) -> Actions:
    """Only people who addressed the bot are told; others were not talking to it."""
    return (Refuse(refusal),) if forced else (Ignore(refusal),)


def _debounce(situation: Situation) -> timedelta:
    own = situation.settings.within(situation.place).debounce_seconds
    return situation.debounce if own is None else timedelta(seconds=own)


def _time_of(message: MessageId) -> datetime:
    return datetime.fromtimestamp(snowflake_time_ms(message) / 1000, UTC)
