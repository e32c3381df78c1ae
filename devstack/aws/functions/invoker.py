"""Lambda's rules around a call: names, tenants, sizes, concurrency, and the retries of asynchronous calls."""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from deployment.iam import operations
from devstack.aws.access.door import Door, Refused
from devstack.aws.functions.faults import FunctionFaults
from devstack.aws.functions.model import (
    ASYNCHRONOUS_LIMIT,
    SYNCHRONOUS_LIMIT,
    Call,
    FunctionHost,
    FunctionSpec,
    Invocation,
    InvocationRefused,
)

_RETRIES: Final = 2

type Bury = Callable[[str, str, bytes], None]
"""Puts, for whoever has a role, by its ARN, an event into the queue with a URL."""


class Invoker:
    """Calls functions by name or ARN; asynchronous calls are tried three times, ``retry_seconds`` apart.

    What no attempt could handle goes to ``bury`` if the function has a queue for it.
    """

    def __init__(
        self,
        host: FunctionHost,
        specs: Iterable[FunctionSpec],
        *,
        retry_seconds: float,
        bury: Bury,
        faults: FunctionFaults | None = None,
    ) -> None:
        self._host = host
        self._faults = faults or FunctionFaults()
        self._specs = {spec.name: spec for spec in specs}
        self._retry_seconds = retry_seconds
        self._bury = bury
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._later = ThreadPoolExecutor(32, thread_name_prefix="asynchronous")

    def stop(self) -> None:
        """Give up what waits for a retry; running calls are the host's."""
        self._stopped.set()
        self._later.shutdown(wait=False, cancel_futures=True)

    def spec(self, reference: str) -> FunctionSpec:
        """The function behind a name or ARN, with or without a qualifier; refused as not found."""
        parts = reference.split(":")
        name, *qualifier = parts[6:] if parts[0] == "arn" and len(parts) > 6 else parts
        spec = self._specs.get(name)
        if spec is None or (spec.alias is not None and qualifier != [spec.alias]):
            raise InvocationRefused("ResourceNotFoundException", f"Function not found: {reference}", 404)
        return spec

    def invoke(
        self, reference: str, payload: bytes, *, tenant: str | None = None, client_context: str | None = None
    ) -> Invocation:
        """Run a call to its end; InvocationRefused before any code ran."""
        spec = self._admit(reference, payload, tenant, SYNCHRONOUS_LIMIT)
        with self._lock:
            if spec.reserved is not None and self._running[spec.name] >= spec.reserved:
                raise InvocationRefused("TooManyRequestsException", "Rate Exceeded.", 429)
            self._running[spec.name] += 1
        try:
            return self._run(spec, Call(str(uuid.uuid4()), payload or b"{}", tenant, client_context))
        finally:
            with self._lock:
                self._running[spec.name] -= 1

    def invoke_later(
        self, reference: str, payload: bytes, *, tenant: str | None = None, done: Callable[[], None] | None = None
    ) -> None:
        """Queue a call that is retried when it fails; ``done`` is called when it succeeded or was given up."""
        self._admit(reference, payload, tenant, ASYNCHRONOUS_LIMIT)
        self._later.submit(self._try, reference, payload, tenant, done)

    def _run(self, spec: FunctionSpec, call: Call) -> Invocation:
        fault = self._faults.take(spec.key, call.payload)
        if fault is None:
            return self._host.run(spec, call)
        return fault.meet(lambda: self._host.run(spec, call))

    def _admit(self, reference: str, payload: bytes, tenant: str | None, limit: int) -> FunctionSpec:
        spec = self.spec(reference)
        if self._stopped.is_set():
            raise InvocationRefused("ServiceException", "the embedded AWS is being stopped", 500)
        if len(payload) > limit:
            raise InvocationRefused(
                "RequestTooLargeException",
                f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
                413,
            )
        if spec.tenant_isolated and not tenant:
            raise InvocationRefused(
                "InvalidParameterValueException",
                "The invoked function is enabled with tenancy configuration."
                " Add a valid tenant ID in your request and try again.",
                400,
            )
        if tenant and not spec.tenant_isolated:
            raise InvocationRefused(
                "InvalidParameterValueException",
                "The invoked function is not enabled with tenancy configuration."
                " Remove the tenant ID from your request and try again.",
                400,
            )
        try:
            json.loads(payload or b"{}")
        except ValueError as error:
            raise InvocationRefused(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}", 400
            ) from error
        return spec

    def _try(self, reference: str, payload: bytes, tenant: str | None, done: Callable[[], None] | None) -> None:
        failures = 0
        while failures <= _RETRIES and not self._stopped.is_set():
            try:
                if self.invoke(reference, payload, tenant=tenant).error is None:
                    break
                failures += 1
            except InvocationRefused:
                # A throttled asynchronous call stays queued: it does not use up its retries.
                self._stopped.wait(self._retry_seconds)
                continue
            self._stopped.wait(self._retry_seconds * failures if failures <= _RETRIES else 0)
        spec = self.spec(reference)
        if failures > _RETRIES and spec.dead_letters is not None and not self._stopped.is_set():
            self._bury(spec.role, spec.dead_letters, payload)
        if done is not None and not self._stopped.is_set():
            done()


def admitted(invoker: Invoker, door: Door) -> Callable[[str, str, bytes], Invocation]:
    """Calls functions for whoever has a role, by its ARN, if the role may."""

    def invoke(role: str, reference: str, payload: bytes) -> Invocation:
        try:
            door.admit(door.holder(role), operations.Call("lambda:Invoke", {"FunctionName": reference}))
        except Refused as refusal:
            raise InvocationRefused("AccessDeniedException", str(refusal), 403) from refusal
        return invoker.invoke(reference, payload)

    return invoke
