"""What a running state machine needs around it, and how the interpreter's code finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from devstack.aws.functions.model import Invocation
from devstack.aws.interpreter.tokens import TaskTokens

type Invoke = Callable[[str, str, bytes], Invocation]
"""Runs a function to its end for whoever has a role: the role's ARN, the function, the payload; InvocationRefused."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One Step Functions: its functions, other services' clients by role and name, task tokens and clocks.

    ``time_scale`` shortens Wait states and the pauses between retries, ``token_time_scale`` the TimeoutSeconds and
    HeartbeatSeconds of tasks that wait for a token.
    """

    invoke: Invoke
    client: Callable[[str, str], Any]
    tokens: TaskTokens
    time_scale: float = 1.0
    token_time_scale: float = 1.0


def attach(details: object, platform: Platform) -> None:
    """Make the platform reachable from every frame of an execution: all frames share these details."""
    details.platform = platform  # type: ignore[attr-defined] # moto's object takes any attribute


def platform_of(env: Any) -> Platform:
    """The platform of the execution that a frame belongs to."""
    return cast("Platform", env.aws_execution_details.platform)


def role_of(env: Any) -> str:
    """The ARN of the role under which that execution's machine runs."""
    return cast("str", env.aws_execution_details.role_arn)
