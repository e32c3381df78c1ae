"""Buttons and reactions that control a run: one rule per control, whichever way it is used."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from discord_agent.domain import interrupts, policy
from discord_agent.domain.actions import (
    Action,
    Actions,
    Answer,
    Decide,
    Ignore,
    Refuse,
    Reshow,
    Restart,
    Situation,
    Stop,
    Vote,
    is_since,
)
from discord_agent.domain.controls import Action as Control
from discord_agent.domain.feedback import APPROVE, DISAPPROVE
from discord_agent.domain.inbound import ButtonPressed, Reaction
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import Decision, ExecutionRecord

GO_ON: Final = "Continue as you think best."

_THUMBS: Final = {"👍": (Control.MERGE, APPROVE), "👎": (Control.REJECT, DISAPPROVE)}
_CONTROL_OF: Final = {
    Interrupt.STOP: Control.STOP,
    Interrupt.CONTINUE: Control.CONTINUE,
    Interrupt.RETRY: Control.RETRY,
}


@dataclass(frozen=True, slots=True)
class _Proposal:
    """An action that the policy has still to allow."""

    needs: policy.Action
    then: Action


@dataclass(frozen=True, slots=True)
class _Objection:
    """Why a control does nothing now, and what else is done about it."""

    sentence: str
    then: Actions = ()


type _Ruling = _Proposal | _Objection


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
    ruling = _RULES[Control(press.action)](run, situation, press.argument)
    if isinstance(ruling, _Objection):
        return Refuse(ruling.sentence), *ruling.then
    refusal = situation.refusal(ruling.needs, press.author, run)
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
            return _vote(reaction, situation, vote)
        return _by_reaction(control, approval.commit.sha, reaction, situation, run)
    meant = interrupts.from_emoji(emoji)
    if meant not in _CONTROL_OF or run is None:
        return (Ignore("a reaction without a meaning here"),)
    return _by_reaction(_CONTROL_OF[meant], "", reaction, situation, run)


def _by_reaction(
    control: Control, argument: str, reaction: Reaction, situation: Situation, run: ExecutionRecord
) -> Actions:
    if not reaction.added:
        return (Ignore("a control is not taken back"),)
    ruling = _RULES[control](run, situation, argument)
    if isinstance(ruling, _Objection):
        return (Ignore(ruling.sentence),)
    refusal = situation.refusal(ruling.needs, reaction.author, run)
    return (Refuse(refusal),) if refusal else (ruling.then,)


def _vote(reaction: Reaction, situation: Situation, value: int) -> Actions:
    """A thumb on any other message of the bot; Discord does not say whose message it was when it is taken back."""
    if not reaction.added:
        return (Vote(0),)
    is_own = reaction.message_author_id == situation.bot_id or situation.concerned is not None
    may_vote = not situation.refusal(policy.Action.SEE, reaction.author)
    return (Vote(value),) if is_own and may_vote else (Ignore("not a vote"),)


def _at_work_since(reaction: Reaction, situation: Situation) -> ExecutionRecord | None:
    """The run at work in the thread, if the message was written since it was asked for."""
    run = situation.at_work
    return run if run is not None and is_since(reaction.message_id, run) else None


def _stop(run: ExecutionRecord, _: Situation, __: str) -> _Ruling:
    has_ended = run.outcome is not None or run.completed_at is not None
    return (
        _Objection("This run has ended already.")
        if has_ended
        else _Proposal(policy.Action.STOP, Stop(run.execution_id))
    )


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
    if not situation.is_parked(run):
        return _Objection("This question no longer waits for an answer.")
    return _Proposal(policy.Action.STEER, Answer(run.execution_id, text))


def _continue(run: ExecutionRecord, situation: Situation, argument: str) -> _Ruling:
    return _answer(run, situation, GO_ON) if situation.is_parked(run) else _restart(run, situation, argument)


def _restart(run: ExecutionRecord, situation: Situation, _: str) -> _Ruling:
    was_offered = run.outcome is None and run.classification is None
    fell_short = run.outcome not in (None, Outcome.DONE)
    if not (was_offered or fell_short):
        return _Objection("There is nothing to take up again.")
    if situation.at_work is not None:
        return _Objection("A run is at work in this thread; write to it here.")
    return _Proposal(policy.Action.RUN, Restart(run.execution_id))


_RULES: Final[dict[Control, Callable[[ExecutionRecord, Situation, str], _Ruling]]] = {
    Control.STOP: _stop,
    Control.MERGE: _merge,
    Control.REJECT: _reject,
    Control.ANSWER: _answer,
    Control.CONTINUE: _continue,
    Control.RETRY: _restart,
}
