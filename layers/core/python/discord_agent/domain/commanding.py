"""Slash commands: which one is meant, whether it may be used, and which controls of a run it stands for."""

from typing import Final

from discord_agent.domain import commands, controlling, policy
from discord_agent.domain.actions import Actions, Invoke, Refuse, Situation
from discord_agent.domain.commands import Invocation
from discord_agent.domain.controls import Action as Control
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.inbound import CommandInvoked
from discord_agent.domain.session import ExecutionRecord

_CONTROLS: Final = {"stop": Control.STOP, "retry": Control.RETRY, "rewind": Control.REWIND}
"""Commands that do what a button does, by the same rule; the answer says that it was done."""

_NO_RUN: Final = "There is no run in this thread that this could be about."


def on_command(event: CommandInvoked, situation: Situation) -> Actions:
    """What a command does; whatever stands in its way is told to the person who used it."""
    command = commands.find(event.name)
    if command is None:
        return (Refuse(f"I do not know the command /{event.name}."),)
    control = _CONTROLS.get(command.name)
    run = _meant(control, situation) if control else None
    if control and run is None:
        return (Refuse(_NO_RUN),)
    refusal = situation.refusal(command.needs, event.author, run)
    if refusal:
        return (Refuse(refusal),)
    try:
        invocation = commands.read(command, event)
    except InvalidInput as error:
        return (Refuse(str(error)),)
    if control is None or run is None:
        return _plain(event, invocation, situation)
    return _controls(control, run, event, invocation, situation)


def _plain(event: CommandInvoked, invocation: Invocation, situation: Situation) -> Actions:
    """A command with a use case of its own; one flow needs more than the right to ask for work."""
    is_breakglass = invocation.command.name == "flow" and invocation.text("type") == "breakglass"
    refusal = situation.refusal(policy.Action.BREAKGLASS, event.author) if is_breakglass else ""
    return (Refuse(refusal),) if refusal else (Invoke(invocation, situation.place),)


def _controls(
    control: Control, run: ExecutionRecord, event: CommandInvoked, invocation: Invocation, situation: Situation
) -> Actions:
    done = controlling.on_control(control, invocation.text("turn"), event.author, situation, run)
    is_refused = any(isinstance(action, Refuse) for action in done)
    # Answered first: where the control itself finds that it cannot be done, its reason takes the answer's place.
    return done if is_refused else (Invoke(invocation, situation.place), *done)


def _meant(control: Control, situation: Situation) -> ExecutionRecord | None:
    """The run at work is stopped; the newest of the thread is taken up again or taken back."""
    return situation.at_work if control is Control.STOP else situation.concerned
