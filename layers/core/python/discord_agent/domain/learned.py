"""How people are shown what a run taught, and how they take it away."""

from typing import Final

from discord_agent.domain.controls import MAX_CUSTOM_ID, Action, Control, encode
from discord_agent.domain.layout import line
from discord_agent.domain.posts import Button
from discord_agent.domain.run import RunState

_SHOWN: Final = 300


def note(run: RunState) -> str:
    """The sentence under a run's answer; "" when it taught nothing new."""
    return f"🧠 learned: {line(run.lesson, _SHOWN)}" if run.lesson_id else ""


def buttons(run: RunState) -> tuple[tuple[Button, ...], ...]:
    """The row that takes the lesson away; none when there is none, or when its name does not fit into a button."""
    if not run.lesson_id:
        return ()
    fits = len(f"{Action.FORGET}:{run.execution_id}:{run.lesson_id}") <= MAX_CUSTOM_ID
    if not fits:
        return ()
    forget = encode(Control(Action.FORGET, run.execution_id, run.lesson_id))
    return ((Button("Forget lesson", forget, emoji="🗑️"),),)
