"""Choosing the way of working."""

from typing import Final

from msgspec import Struct

from discord_agent.domain.classification import FlowType
from discord_agent.domain.posts import Post
from discord_agent.domain.session import FlowOverride
from discord_agent.ports import Sessions
from discord_agent.steps.commands.asked import Asked

_SHORT: Final = {"sequential": FlowType.SEQUENTIAL}


class ChooseFlow(Struct, frozen=True):
    """``/flow``."""

    sessions: Sessions

    def __call__(self, asked: Asked) -> Post:
        """Have the person's next message here worked on in this way, once."""
        name = asked.invocation.text("type")
        flow = _SHORT.get(name) or FlowType(name)
        self.sessions.update(asked.thread, flow_override=FlowOverride(flow, asked.event.author.id))
        return Post(f"Your next message here will be worked on as **{flow.value}**, once.")
