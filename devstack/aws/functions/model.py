"""What a function is and what an invocation gives, for both ways of running it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from discord_agent.declaration import Package

SYNCHRONOUS_LIMIT: Final = 6_291_556
"""Bytes of a request or response, as Lambda counts them."""
ASYNCHRONOUS_LIMIT: Final = 1_048_576

INTERPRETER: Final = {"LANG": "en_US.UTF-8", "TZ": ":UTC", "PYTHONUNBUFFERED": "1"}
"""The variables that Python reads when it starts, the same for every function."""

type LogSink = Callable[[str, str], None]
"""Receives the function's name and one line, without its end."""


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A deployed function: timeout in seconds, memory in MB; ``path`` is the PATH its code sees.

    ``package`` names the template that holds its libraries; without one it brings all of them in its layers. With an
    ``alias`` it is called through that alone, and is what ``version`` was published. ``dead_letters`` is the URL of the
    queue for asynchronous events that no attempt could handle.
    """

    key: str
    name: str
    arn: str
    role: str
    package: Package | None
    handler: str
    folder: Path
    layers: tuple[Path, ...]
    environment: Mapping[str, str]
    path: str
    timeout: float
    memory: int
    tenant_isolated: bool = False
    reserved: int | None = None
    alias: str | None = None
    version: str = "$LATEST"
    dead_letters: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation on its way to a handler; the tenant is there if and only if the function isolates tenants."""

    id: str
    payload: bytes
    tenant: str | None = None
    client_context: str | None = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """What came of a call: the raw payload, ``Unhandled`` when it is an error, and the end of the log."""

    raw: bytes
    error: str | None = None
    log: str = ""
    seconds: float = 0.0
    init_seconds: float | None = None

    @property
    def payload(self) -> object:
        """The payload as JSON; None when the function returned nothing."""
        return json.loads(self.raw) if self.raw else None

    @property
    def error_type(self) -> str | None:
        """The error's name as the state machines match it."""
        payload = self.payload
        return str(payload.get("errorType", "")) if self.error and isinstance(payload, dict) else None


def failure(error_type: str, message: str, **details: object) -> Invocation:
    """An invocation that failed, in the shape Lambda reports it."""
    return Invocation(
        json.dumps({"errorType": error_type, "errorMessage": message, **details}).encode(), error="Unhandled"
    )


class FunctionHost(Protocol):
    """Runs calls; it knows nothing of names, tenants' rules, concurrency or retries."""

    def start(self) -> None:
        """Get ready."""
        ...

    def run(self, spec: FunctionSpec, call: Call) -> Invocation:
        """Run the call in a free environment, made anew when none is free."""
        ...

    def kill(self, name: str) -> int:
        """End the running environments of a function at once; their number."""
        ...

    def stop(self) -> None:
        """End every environment."""
        ...


class InvocationRefused(Exception):
    """Lambda refuses the call before any code runs; ``code`` and ``status`` are the service's own."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
