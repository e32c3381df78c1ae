"""What can go wrong in the embedded AWS, as one tree.

StackError(AgentError)
├── PortInUse           another process listens where the stack should
├── DataInUse           another stack works on the same data folder
├── MissingDefinition   a declared machine or function has no file
├── DidNotStart         a child process ended before it answered
└── Unsupported         an installed package is not the version whose defects are mended here
"""

from discord_agent.domain.errors import AgentError


class StackError(AgentError):
    """Base of the embedded AWS's errors; the message names the cause and the remedy."""


class PortInUse(StackError):
    """Another process listens on the port."""


class DataInUse(StackError):
    """Another stack works on the data folder."""


class MissingDefinition(StackError):
    """A declared machine or function has no file."""


class DidNotStart(StackError):
    """A child process ended before it answered."""


class Unsupported(StackError):
    """A package has another version than the one mended here."""
