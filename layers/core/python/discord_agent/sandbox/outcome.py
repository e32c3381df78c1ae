"""What a tool gives back inside the sandbox."""

from dataclasses import dataclass, field

from discord_agent.domain.conversation import Json
from discord_agent.domain.errors import AgentError


@dataclass(frozen=True, slots=True)
class Outcome:
    """The text for the model, whether the tool did what was asked, and facts for the policy."""

    text: str
    ok: bool = True
    facts: Json = field(default_factory=dict)


class ToolRefused(AgentError):
    """The tool cannot do what was asked; ``str()`` tells the model why and what to do instead."""
