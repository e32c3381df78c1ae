"""Answers to commands that do what a button does; the deed itself is done by whoever does it for the button."""

from typing import Final

from discord_agent.domain.posts import Post
from discord_agent.steps.commands.asked import Asked

_DONE: Final = {
    "stop": "⏹️ Stopping the run; what it did so far is kept.",
    "retry": "🔄 Taking it up again.",
    "rewind": "⏪ Going back to {place}. How things were until now is kept as a checkpoint.",
}


def confirm(asked: Asked) -> Post:
    """Say what is being done."""
    turn = asked.invocation.text("turn")
    place = f"turn {turn}" if turn.strip("0") else "the start"
    return Post(_DONE[asked.invocation.command.name].format(place=place))
