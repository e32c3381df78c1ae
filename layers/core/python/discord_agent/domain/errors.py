"""What can go wrong, as one tree; class names are the error names the state machines match.

AgentError
├── InvalidInput            the caller sent something that can never work; not retried
│   ├── InvalidEvent        a Lambda event of the wrong shape
│   └── InvalidSettings     a missing or malformed setting or prompt; names it and the remedy
├── LeaseLost               another run or a newer attempt owns the thread; end without writing
├── Conflict                a conditional write lost its race; the reader decides again
├── Stopped                 somebody asked the run to stop
├── SecretsFound            a commit would publish secrets; people have to decide
├── OverBudget              a limit on money does not allow a call; people may extend it
├── TransientError          worth a retry by the state machine
│   ├── ModelUnavailable    the provider failed after the client's own retries
│   ├── DiscordUnavailable  Discord answered 5xx, or 429 beyond what a step can wait
│   ├── SandboxUnavailable  the sandbox did not answer, or its environment died
│   ├── RepositoryUnavailable   the git host did not answer
│   └── StateUnavailable    DynamoDB, S3 or SQS did not answer after the SDK's own retries
└── PermanentError          no retry will mend it
    ├── ModelRefused        the provider rejects the request (400, 401, 403, 404)
    │   └── ContextTooLong  the conversation does not fit into the model's context window
    ├── InvalidReply        a model's reply is not valid for its schema, twice
    ├── NoProposals         no model that was asked for options gave any
    ├── DiscordRefused      Discord rejects the request (400, 401, 403, 404)
    ├── RepositoryRefused   the git host rejects the request, or the repository is unusable
    └── WorkspaceDamaged    a manifest or pack is missing or does not match its hash
"""

from discord_agent.domain.money import NOTHING, Cost, Usd

_NOTHING_SPENT = Cost()


class AgentError(Exception):
    """Base of all errors raised on purpose."""


class InvalidInput(AgentError):
    """The caller sent something that can never work."""


class InvalidEvent(InvalidInput):
    """A Lambda event has the wrong shape."""


class InvalidSettings(InvalidInput):
    """A setting or prompt is missing or malformed."""


class LeaseLost(AgentError):
    """Another run or a newer attempt of this step owns the thread."""


class Conflict(AgentError):
    """A conditional write lost its race."""


class Stopped(AgentError):
    """Somebody asked the run to stop."""


class SecretsFound(AgentError):
    """A commit would publish secrets; ``places`` names files and kinds, never the secrets."""

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__("; ".join(places))
        self.places = places


class OverBudget(AgentError):
    """A limit on money does not allow a call; the message is a sentence for people.

    ``period`` names the limit, ``needed`` is what the call may cost, zero when that is not known.
    """

    def __init__(self, message: str, *, period: str = "", needed: Usd = NOTHING) -> None:
        super().__init__(message)
        self.period = period
        self.needed = needed


class TransientError(AgentError):
    """Worth a retry."""


class ModelUnavailable(TransientError):
    """The provider failed after the client's own retries; ``spent`` is what attempts cost that gave nothing."""

    def __init__(self, message: str = "", *, spent: Cost = _NOTHING_SPENT) -> None:
        super().__init__(message)
        self.spent = spent


class DiscordUnavailable(TransientError):
    """Discord answered 5xx, or 429 for longer than a step can wait; ``retry_after`` in seconds, 0 when unknown."""

    def __init__(self, message: str = "", *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SandboxUnavailable(TransientError):
    """The sandbox did not answer, or its environment died."""


class RepositoryUnavailable(TransientError):
    """The git host did not answer."""


class StateUnavailable(TransientError):
    """DynamoDB, S3 or SQS did not answer after the SDK's own retries."""


class PermanentError(AgentError):
    """No retry will mend it."""


class ModelRefused(PermanentError):
    """The provider rejects the request; ``spent`` is what attempts before cost that gave nothing."""

    def __init__(self, message: str = "", *, spent: Cost = _NOTHING_SPENT) -> None:
        super().__init__(message)
        self.spent = spent


class ContextTooLong(ModelRefused):
    """The conversation does not fit into the model's context window."""


class InvalidReply(PermanentError):
    """A model's reply is not valid for its schema, twice; ``spent`` is what both cost."""

    def __init__(self, message: str, *, spent: Cost = _NOTHING_SPENT) -> None:
        super().__init__(message)
        self.spent = spent


class NoProposals(PermanentError):
    """No model that was asked for options gave any."""


class DiscordRefused(PermanentError):
    """Discord rejects the request; ``code`` is Discord's JSON error code, or 0."""

    def __init__(self, message: str, *, status: int = 0, code: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class RepositoryRefused(PermanentError):
    """The git host rejects the request, or the repository is unusable."""


class WorkspaceDamaged(PermanentError):
    """A manifest or pack is missing or does not match its hash."""
