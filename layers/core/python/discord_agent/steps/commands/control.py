"""Answers to commands that do what a button does; the deed itself is done by whoever does it for the button."""

from typing import Final

from discord_agent.domain.posts import Post
from discord_agent.steps.commands.asked import Asked

_DONE: Final = {
    "stop": "⏹️ Stopping the run; what it did so far is kept.",
    "retry": "🔄 Taking it up again.",
    "rewind": "⏪ Going back to turn {turn}. How things were until now is kept as a checkpoint.",
}


def confirm(asked: Asked) -> Post:
    """Say what is being done."""
    return Post(_DONE[asked.invocation.command.name].format(turn=asked.invocation.text("turn")))
