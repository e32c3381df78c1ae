"""What a running state machine needs around it, and how the interpreter's code finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from devstack.aws.functions.model import Invocation
from devstack.aws.interpreter.tokens import TaskTokens


class Invoke(Protocol):
    """Runs a function to its end; raises InvocationRefused."""

    def __call__(self, reference: str, payload: bytes) -> Invocation:
        """Run it."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """One Step Functions: its functions, other services, task tokens and clocks.

    ``time_scale`` shortens Wait states and the pauses between retries, ``token_time_scale`` the TimeoutSeconds and
    HeartbeatSeconds of tasks that wait for a token.
    """

    invoke: Invoke
    client: Callable[[str], Any]
    tokens: TaskTokens
    time_scale: float = 1.0
    token_time_scale: float = 1.0


def attach(details: object, platform: Platform) -> None:
    """Make the platform reachable from every frame of an execution: all frames share these details."""
    details.platform = platform  # type: ignore[attr-defined] # moto's object takes any attribute


def platform_of(env: Any) -> Platform:
    """The platform of the execution that a frame belongs to."""
    return cast("Platform", env.aws_execution_details.platform)
