"""Runs functions in this process, for tests that need speed more than isolation.

Time-outs, memory and environments of their own are not imitated; events and results pass through JSON, errors come
back as Lambda reports them. Each calls AWS as itself, as long as it makes its clients in the thread that it is called in.
"""

import importlib.util
import json
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from devstack.aws.errors import StackError
from devstack.aws.functions.identity import KEY_ID, NOBODY, PLUGIN, RUNNING
from devstack.aws.functions.model import SYNCHRONOUS_LIMIT, Call, FunctionSpec, Invocation, failure

type Handler = Callable[[Any, Any], Any]

_FLAGS: Final = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler finds as its second argument."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    memory_limit_in_mb: str
    tenant_id: str | None
    deadline: float
    function_version: str = "$LATEST"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out."""
        return max(int((self.deadline - time.monotonic()) * 1000), 0)


class InProcessHost:
    """Imports each handler at its first call and runs it in the caller's thread."""

    def __init__(self, specs: Iterable[FunctionSpec]) -> None:
        self._environment = _merged(specs)
        self._former: dict[str, str | None] = {}
        self._handlers: dict[str, Handler] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Take the functions' environment into this process's."""
        environ = os.environ  # noqa: TID251 (the handlers read it: here it is their process)
        self._former = {name: environ.get(name) for name in self._environment}
        environ.update(self._environment)

    def run(self, spec: FunctionSpec, call: Call) -> Invocation:
        """Call the handler."""
        started = time.monotonic()
        context = Context(
            spec.name, spec.arn, call.id, str(spec.memory), call.tenant, deadline=time.monotonic() + spec.timeout
        )
        invocation = self._run(spec, call, context)
        return Invocation(invocation.raw, invocation.error, seconds=time.monotonic() - started)

    def kill(self, name: str) -> int:
        """There is no process to kill; StackError."""
        raise StackError(f"{name} runs inside this process: use mode='process' to kill its environments")

    def stop(self) -> None:
        """Give the environment back."""
        environ = os.environ  # noqa: TID251 (see start)
        for name, value in self._former.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value
        self._former = {}

    def _run(self, spec: FunctionSpec, call: Call, context: Context) -> Invocation:
        identity = RUNNING.set(spec.environment.get(KEY_ID))
        try:
            handler = self._handler(spec)
            result = handler(json.loads(call.payload), context)
        except Exception as error:  # noqa: BLE001 (a handler may raise anything; the caller is told)
            return failure(
                type(error).__name__, str(error), stackTrace=traceback.format_tb(error.__traceback__), requestId=call.id
            )
        finally:
            RUNNING.reset(identity)
        try:
            raw = json.dumps(result).encode()
        except (TypeError, ValueError) as error:
            return failure("Runtime.MarshalError", f"Unable to marshal response: {error}", requestId=call.id)
        if len(raw) > SYNCHRONOUS_LIMIT:
            return failure(
                "Function.ResponseSizeTooLarge",
                f"Response payload size ({len(raw)} bytes) exceeded maximum allowed payload size"
                f" ({SYNCHRONOUS_LIMIT} bytes).",
            )
        return Invocation(raw)

    def _handler(self, spec: FunctionSpec) -> Handler:
        with self._lock:
            if spec.key not in self._handlers:
                module, _, function = spec.handler.rpartition(".")
                self._handlers[spec.key] = getattr(_load(spec, module), function)
            return self._handlers[spec.key]


def _load(spec: FunctionSpec, module: str) -> ModuleType:
    """A fresh module of its own each time: nothing that an earlier stack cached in it is seen."""
    path = spec.folder / f"{module}.py"
    found = importlib.util.spec_from_file_location(f"functions.{spec.key}.{module}", path)
    if found is None or found.loader is None:
        raise StackError(f"{path} cannot be imported")
    loaded = importlib.util.module_from_spec(found)
    found.loader.exec_module(loaded)
    return loaded


def _merged(specs: Iterable[FunctionSpec]) -> Mapping[str, str]:
    merged: dict[str, str] = {**_FLAGS, **PLUGIN, KEY_ID: NOBODY}
    for spec in specs:
        for name, value in spec.environment.items():
            if name != KEY_ID and merged.setdefault(name, value) != value:
                raise StackError(
                    f"{name} has two values among the functions ({merged[name]!r} and {value!r} of {spec.key}):"
                    " they cannot share a process, use mode='process'"
                )
    return merged
