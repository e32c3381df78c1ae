"""The Lambda Runtime API of one execution environment: what the runtime in the process speaks to."""

import queue
import threading
import time
import uuid
from typing import Final

from devstack.aws.functions.model import SYNCHRONOUS_LIMIT, Call, FunctionSpec, Invocation, failure
from devstack.aws.http import HttpService, Request, Response

_PREFIX: Final = "/2018-06-01/runtime"
_ACCEPTED: Final = Response(202, b"{}")


class Pending:
    """A call handed to the process and the answer to come."""

    def __init__(self, call: Call, deadline_ms: int) -> None:
        self.call = call
        self.deadline_ms = deadline_ms
        self.invocation: Invocation | None = None
        self.done = threading.Event()

    def end(self, invocation: Invocation) -> None:
        """Settle the call; only the first answer counts."""
        if not self.done.is_set():
            self.invocation = invocation
            self.done.set()


class RuntimeApi:
    """Serves next, response, error and init/error; the process asks, calls are queued for it."""

    def __init__(self, spec: FunctionSpec) -> None:
        self._spec = spec
        self._queue: queue.Queue[Pending | None] = queue.Queue()
        self._service = HttpService(name=f"runtime-{spec.key}")
        self.current: Pending | None = None
        self.init_error: Invocation | None = None
        self.spent = False
        """The runtime gives up after a refused response; such an environment is not used again."""
        self.ready = threading.Event()

    @property
    def address(self) -> str:
        """Host and port for AWS_LAMBDA_RUNTIME_API."""
        return self._service.address

    def start(self) -> None:
        """Listen."""
        self._service.start(self._respond)

    def stop(self) -> None:
        """Release a waiting runtime and close."""
        self._queue.put(None)
        self._service.stop()

    def submit(self, pending: Pending) -> None:
        """Hand a call to the process."""
        self.current = pending
        self._queue.put(pending)

    def process_ended(self, status: int) -> None:
        """The process is gone: whoever waits for it is told."""
        self.ready.set()
        pending = self.current
        if pending is not None:
            pending.end(exited(pending.call.id, status))

    def _respond(self, request: Request) -> Response:
        path = request.path.removeprefix(_PREFIX)
        if path == "/invocation/next":
            return self._next()
        if path == "/init/error":
            self.init_error = Invocation(request.body, error="Unhandled")
            self.ready.set()
            return _ACCEPTED
        parts = path.strip("/").split("/")
        pending = self.current
        if len(parts) == 3 and pending is not None and parts[1] == pending.call.id:
            return self._settle(pending, parts[2], request.body)
        return Response(404, b"{}")

    def _next(self) -> Response:
        self.ready.set()
        pending = self._queue.get()
        if pending is None:
            return Response(500, b"{}")
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": pending.call.id,
            "Lambda-Runtime-Deadline-Ms": str(pending.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self._spec.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        if pending.call.tenant is not None:
            headers["Lambda-Runtime-Aws-Tenant-Id"] = pending.call.tenant
        if pending.call.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = pending.call.client_context
        return Response(200, pending.call.payload, headers)

    def _settle(self, pending: Pending, outcome: str, body: bytes) -> Response:
        self.current = None
        if outcome == "error":
            pending.end(Invocation(body, error="Unhandled"))
            return _ACCEPTED
        if len(body) > SYNCHRONOUS_LIMIT:
            self.spent = True
            pending.end(
                failure(
                    "Function.ResponseSizeTooLarge",
                    f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size"
                    f" ({SYNCHRONOUS_LIMIT} bytes).",
                )
            )
            return Response(413, b"{}")
        pending.end(Invocation(body))
        return _ACCEPTED


def exited(request_id: str, status: int) -> Invocation:
    """What Lambda reports when the process ended in mid-call."""
    how = f"signal: {-status}" if status < 0 else f"exit status {status}"
    return failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")
