"""What cannot be compared is an error, never left out."""

from discord_agent.domain.errors import AgentError


class NotComparable(AgentError):
    """A resource, property or expression that no map knows; the message names it and its place."""
