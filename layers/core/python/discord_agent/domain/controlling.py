"""Buttons and reactions that control a run: one rule per control, whichever way it is used."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from discord_agent.domain import interrupts, policy
from discord_agent.domain.actions import (
    Action,
    Actions,
    Answer,
    Choose,
    Decide,
    Extend,
    Forget,
    Ignore,
    Refuse,
    Reshow,
    Restart,
    Rewind,
    Situation,
    Steer,
    Stop,
    Vote,
    Withdraw,
    is_since,
)
from discord_agent.domain.classification import FlowType
from discord_agent.domain.controls import Action as Control
from discord_agent.domain.feedback import APPROVE, DISAPPROVE
from discord_agent.domain.inbound import Author, ButtonPressed, Reaction
from discord_agent.domain.interrupts import Interrupt, Interruption
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import Decision, ExecutionRecord

GO_ON: Final = "Continue as you think best."
THINK_AGAIN: Final = "That is wrong. Think again."

_THUMBS: Final = {"👍": (Control.MERGE, APPROVE), "👎": (Control.REJECT, DISAPPROVE)}
_BUSY: Final = "A run is at work in this thread; write to it here."
_NEEDS_MONEY: Final = "This run waits until its budget is extended."
_ENDED: Final = "This run has ended already."


class _Proposal(Struct, frozen=True):
    """An action that the policy has still to allow."""

    needs: policy.Action
    then: Action


class _Objection(Struct, frozen=True):
    """Why a control does nothing now, and what else is done about it."""

    sentence: str
    then: Actions = ()


type _Ruling = _Proposal | _Objection
type _Rule = Callable[[ExecutionRecord, Situation, str], _Ruling]


def on_button(press: ButtonPressed, situation: Situation) -> Actions:
    """What a button does; why it does nothing is told to the person who pressed it."""
    run = situation.concerned
    is_ours = (
        press.action in Control
        and run is not None
        and run.execution_id == press.execution_id
        and press.channel_id in (run.thread_id, run.channel_id)
    )
    if run is None or not is_ours:
        return (Refuse("This button is out of date."),)
    return on_control(Control(press.action), press.argument, press.author, situation, run)


def on_control(control: Control, argument: str, author: Author, situation: Situation, run: ExecutionRecord) -> Actions:
    """What a control does about a run, for whoever is told why when it does nothing."""
    ruling = _RULES[control](run, situation, argument)
    if isinstance(ruling, _Objection):
        return Refuse(ruling.sentence), *ruling.then
    refusal = situation.refusal(ruling.needs, author, run)
    return (Refuse(refusal),) if refusal else (ruling.then,)


def on_reaction(reaction: Reaction, situation: Situation) -> Actions:
    """What a reaction does; most mean nothing, and only a control that is not allowed is answered."""
    if reaction.author.id == situation.bot_id or reaction.author.is_bot:
        return (Ignore("a reaction of a bot"),)
    emoji = interrupts.plain_emoji(reaction.emoji)
    run = situation.concerned or _at_work_since(reaction, situation)
    if emoji in _THUMBS:
        control, vote = _THUMBS[emoji]
        approval = run.approval if run else None
        if run is None or approval is None or approval.message_id != reaction.message_id:
            return _vote(reaction, situation, run, vote)
        return _by_reaction(_RULES[control], approval.commit.sha, reaction, situation, run)
    meant = interrupts.from_emoji(emoji)
    return _sign(meant, reaction, situation, run) if meant else (Ignore("a reaction without a meaning here"),)


def _sign(meant: Interrupt, reaction: Reaction, situation: Situation, run: ExecutionRecord | None) -> Actions:
    if run is None:
        is_stop = meant is Interrupt.STOP
        return _withdrawal(reaction, situation) if is_stop else (Ignore("a reaction without a run"),)
    # People use the same signs among themselves; only a stop is worth being heard wherever it is.
    is_for_us = meant is Interrupt.STOP or _is_on_ours(reaction, situation)
    if not is_for_us:
        return (Ignore("a reaction to somebody else"),)
    return _by_reaction(_INTERRUPTS[meant], "", reaction, situation, run)


def _withdrawal(reaction: Reaction, situation: Situation) -> Actions:
    """A stop under a request that has not begun."""
    whose = reaction.message_author_id
    if not reaction.added or whose is None or whose == situation.bot_id:
        return (Ignore("nothing to stop"),)
    refusal = situation.refusal_about(policy.Action.STOP, reaction.author, whose)
    return (Refuse(refusal),) if refusal else (Withdraw(reaction.message_id),)


def on_interrupt(
    interruption: Interruption, said: str, author: Author, situation: Situation, run: ExecutionRecord
) -> Actions:
    """What a message to a run at work does that begins with an interrupt word; a parked run hears ``said``, all of it."""
    text = said if situation.is_parked(run) else interruption.message
    ruling = _INTERRUPTS[interruption.kind](run, situation, text)
    if isinstance(ruling, _Objection):
        return (Refuse(ruling.sentence),)
    refusal = situation.refusal(ruling.needs, author, run)
    return (Refuse(refusal),) if refusal else (ruling.then,)


def _by_reaction(rule: _Rule, argument: str, reaction: Reaction, situation: Situation, run: ExecutionRecord) -> Actions:
    if not reaction.added:
        return (Ignore("a control is not taken back"),)
    ruling = rule(run, situation, argument)
    if isinstance(ruling, _Objection):
        return (Ignore(ruling.sentence),)
    refusal = situation.refusal(ruling.needs, reaction.author, run)
    return (Refuse(refusal),) if refusal else (ruling.then,)


def _vote(reaction: Reaction, situation: Situation, run: ExecutionRecord | None, value: int) -> Actions:
    """A thumb on any other message of the bot; Discord does not say whose message it was when it is taken back.

    A thumb down tells a run at work that it is wrong, if the person may steer it, and is evidence about an ended one.
    """
    if not reaction.added:
        return (Vote(0),)
    may_vote = not situation.refusal(policy.Action.SEE, reaction.author)
    if not (_is_on_ours(reaction, situation) and may_vote):
        return (Ignore("not a vote"),)
    if value > 0 or run is None:
        return (Vote(value),)
    if not situation.is_at_work(run):
        return (Vote(value, about=run.execution_id if run.outcome else None),)
    may_steer = not situation.refusal(policy.Action.STEER, reaction.author, run)
    return (Vote(value), Steer(run.execution_id, Interrupt.WRONG)) if may_steer else (Vote(value),)


def _is_on_ours(reaction: Reaction, situation: Situation) -> bool:
    return reaction.message_author_id == situation.bot_id or situation.concerned is not None


def _at_work_since(reaction: Reaction, situation: Situation) -> ExecutionRecord | None:
    """The run at work in the thread, if the message was written since it was asked for."""
    run = situation.at_work
    return run if run is not None and is_since(reaction.message_id, run) else None


def _stop(run: ExecutionRecord, _: Situation, __: str) -> _Ruling:
    has_ended = run.outcome is not None or run.completed_at is not None
    return _Objection(_ENDED) if has_ended else _Proposal(policy.Action.STOP, Stop(run.execution_id))


def _merge(run: ExecutionRecord, _: Situation, sha: str) -> _Ruling:
    return _decision(run, sha, Decision.MERGE)


def _reject(run: ExecutionRecord, _: Situation, sha: str) -> _Ruling:
    return _decision(run, sha, Decision.REJECT)


def _decision(run: ExecutionRecord, sha: str, decision: Decision) -> _Ruling:
    """A decision is about the commit that was shown, never about what came after it.

    The same decision may come twice: whoever recorded it first may have died before it was carried out.
    """
    approval = run.approval
    if approval is None or approval.decision not in (None, decision):
        return _Objection("This commit does not wait for a decision any more.")
    if sha != approval.commit.sha:
        return _Objection("This card is out of date; here is the current one.", (Reshow(run.execution_id),))
    return _Proposal(policy.Action.APPROVE, Decide(run.execution_id, approval.commit.sha, decision))


def _answer(run: ExecutionRecord, situation: Situation, text: str) -> _Ruling:
    return _reply(run, situation, text, None)


def _reply(run: ExecutionRecord, situation: Situation, text: str, interrupt: Interrupt | None) -> _Ruling:
    """Answer a parked run."""
    if situation.awaits_money(run):
        return _Objection(_NEEDS_MONEY)
    if not situation.is_parked(run):
        return _Objection("This question no longer waits for an answer.")
    return _Proposal(policy.Action.STEER, Answer(run.execution_id, text, interrupt))


def _steering(interrupt: Interrupt, *, otherwise: str) -> _Rule:
    """The rule of an interrupt: a run at work is steered, a parked one is answered with what was said, or ``otherwise``."""

    def rule(run: ExecutionRecord, situation: Situation, text: str) -> _Ruling:
        if situation.is_parked(run):
            return _reply(run, situation, text or otherwise, interrupt)
        if situation.is_at_work(run):
            return _Proposal(policy.Action.STEER, Steer(run.execution_id, interrupt, text))
        return _Objection(_ENDED)

    return rule


def _clarify(run: ExecutionRecord, situation: Situation, text: str) -> _Ruling:
    """Only a text tells a parked run something new: it waits already."""
    if situation.is_parked(run) and not text:
        return _Objection("This run waits for your answer already.")
    return _HEAR(run, situation, text)


def _continue(run: ExecutionRecord, situation: Situation, text: str) -> _Ruling:
    return _GO_ON(run, situation, text) if _is_open(run, situation) else _again(run, situation)


def _retry(run: ExecutionRecord, situation: Situation, text: str) -> _Ruling:
    return _REPEAT(run, situation, text) if _is_open(run, situation) else _again(run, situation)


def _stronger(run: ExecutionRecord, situation: Situation, text: str) -> _Ruling:
    return _STRENGTHEN(run, situation, text) if _is_open(run, situation) else _again(run, situation, stronger=True)


def _is_open(run: ExecutionRecord, situation: Situation) -> bool:
    return situation.is_parked(run) or situation.is_at_work(run)


def _again(run: ExecutionRecord, situation: Situation, *, stronger: bool = False) -> _Ruling:
    was_offered = run.outcome is None and run.classification is None
    fell_short = run.outcome not in (None, Outcome.DONE)
    if not (was_offered or fell_short):
        return _Objection("There is nothing to take up again.")
    if situation.at_work is not None:
        return _Objection(_BUSY)
    needs = policy.Action.BREAKGLASS if run.flow is FlowType.BREAKGLASS else policy.Action.RUN
    return _Proposal(needs, Restart(run.execution_id, stronger))


def _extend(run: ExecutionRecord, situation: Situation, _: str) -> _Ruling:
    ended_for_money = run.outcome is Outcome.OUT_OF_BUDGET
    if not (situation.awaits_money(run) or ended_for_money):
        return _Objection("This run does not wait for money.")
    if ended_for_money and situation.at_work is not None:
        return _Objection(_BUSY)
    return _Proposal(policy.Action.SPEND, Extend(run.execution_id))


def _rewind(run: ExecutionRecord, situation: Situation, turn: str) -> _Ruling:
    if situation.at_work is not None:
        return _Objection("A run is at work in this thread; stop it before you go back to an earlier turn.")
    # A custom id is written by whoever sends it: no number of that length is a turn.
    number = int(turn) if turn.isdecimal() and len(turn) <= _TURN_DIGITS else None
    if number is None or number > run.turns:
        return _Objection(f"This run has no turn {turn:.20}." if turn else "Say which turn to go back to.")
    return _Proposal(policy.Action.STEER, Rewind(run.execution_id, number))


def _forget(run: ExecutionRecord, _: Situation, insight: str) -> _Ruling:
    if not insight:
        return _Objection("There is nothing to forget.")
    return _Proposal(policy.Action.STEER, Forget(run.execution_id, insight))


def _choose(run: ExecutionRecord, situation: Situation, option: str) -> _Ruling:
    known = [str(number) for number in range(1, len(run.options) + 1)]
    if option not in known:
        return _Objection("There is no such option.")
    if situation.at_work is not None:
        return _Objection(_BUSY)
    return _Proposal(policy.Action.RUN, Choose(run.execution_id, int(option)))


_TURN_DIGITS: Final = 4
_HEAR: Final = _steering(Interrupt.CLARIFY, otherwise="")
_GO_ON: Final = _steering(Interrupt.CONTINUE, otherwise=GO_ON)
_REPEAT: Final = _steering(Interrupt.RETRY, otherwise=GO_ON)
_STRENGTHEN: Final = _steering(Interrupt.ESCALATE, otherwise=GO_ON)

_RULES: Final[dict[Control, _Rule]] = {
    Control.STOP: _stop,
    Control.MERGE: _merge,
    Control.REJECT: _reject,
    Control.ANSWER: _answer,
    Control.CONTINUE: _continue,
    Control.RETRY: _retry,
    Control.STRONGER: _stronger,
    Control.EXTEND: _extend,
    Control.REWIND: _rewind,
    Control.FORGET: _forget,
    Control.CHOOSE: _choose,
}

_INTERRUPTS: Final[dict[Interrupt, _Rule]] = {
    Interrupt.STOP: _stop,
    Interrupt.CLARIFY: _clarify,
    Interrupt.RETRY: _retry,
    Interrupt.CONTINUE: _continue,
    Interrupt.WRONG: _steering(Interrupt.WRONG, otherwise=THINK_AGAIN),
    Interrupt.ESCALATE: _stronger,
}
