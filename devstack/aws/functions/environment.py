"""One execution environment: a process of its own with the real runtime in it, used for one call at a time."""

import collections
import fcntl
import os
import select
import shutil
import struct
import termios
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final, Protocol

from devstack.aws.functions.model import INTERPRETER, Call, FunctionSpec, Invocation, LogSink, failure
from devstack.aws.functions.runtime_api import Pending, RuntimeApi, exited

INIT_SECONDS: Final = 60.0
"""Lambda gives ten and then starts anew; one machine shared by everything needs more patience."""
_TAIL_BYTES: Final = 4096
_DRAIN_SECONDS: Final = 0.5


class Process(Protocol):
    """A running runtime, the leader of a process group of its own."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    @property
    def output(self) -> IO[bytes]:
        """What it prints."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        ...

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal's number; None while it runs."""
        ...

    def wait(self) -> int:
        """Wait for the end; the exit status."""
        ...

    def kill(self) -> None:
        """End the whole group at once."""
        ...


type Launch = Callable[[FunctionSpec, Mapping[str, str]], Process]
"""Starts the runtime for a function, with these variables as its whole environment."""


class ExecutionEnvironment:
    """Starts with construction; ``tenant`` is the only one it ever serves."""

    def __init__(self, spec: FunctionSpec, tenant: str | None, folder: Path, log: LogSink, launch: Launch) -> None:
        self.spec = spec
        self.tenant = tenant
        self.last_used = time.monotonic()
        self._log = log
        self._folder = folder
        self._tail: collections.deque[str] = collections.deque(maxlen=200)
        self._pumping = threading.Lock()
        self._started: float | None = time.monotonic()
        self._api = RuntimeApi(spec)
        self._api.start()
        folder.mkdir(parents=True)
        try:
            self._process = launch(spec, self._variables())
        except BaseException:
            self._api.stop()
            raise
        for work in (self._pump, self._await_end):
            threading.Thread(target=work, name=f"environment-{spec.key}", daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether a further call may go to it."""
        return not self._api.spent and self._api.init_error is None and self._process.alive

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def run(self, call: Call) -> Invocation:
        """Wait for the start if need be, run the call, and end the process when it takes too long."""
        init_seconds = self._initialised()
        if self._api.init_error is not None:
            return self._with_log(self._api.init_error, init_seconds=init_seconds)
        self._tail.clear()
        self._note(f"START RequestId: {call.id} Version: {self.spec.version}")
        started = time.monotonic()
        invocation = self._answer(call)
        seconds = time.monotonic() - started
        cold = "" if init_seconds is None else f"\tInit Duration: {init_seconds * 1000:.2f} ms"
        self._drain()
        self._note(f"END RequestId: {call.id}")
        self._note(f"REPORT RequestId: {call.id}\tDuration: {seconds * 1000:.2f} ms{cold}")
        self.last_used = time.monotonic()
        return self._with_log(invocation, seconds=seconds, init_seconds=init_seconds)

    def kill(self) -> None:
        """End the process group with SIGKILL and forget its files."""
        self._process.kill()
        self._api.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def crash(self) -> None:
        """End the process group with SIGKILL as an outside force would; a running call sees it."""
        self._process.kill()

    def _initialised(self) -> float | None:
        self._api.ready.wait(INIT_SECONDS)
        started, self._started = self._started, None
        return None if started is None else time.monotonic() - started

    def _answer(self, call: Call) -> Invocation:
        limit = self.spec.timeout
        pending = Pending(call, int((time.time() + limit) * 1000))
        self._api.submit(pending)
        status = self._process.status
        if status is not None:
            pending.end(exited(call.id, status))
        if not pending.done.wait(limit):
            pending.end(
                failure("Sandbox.Timedout", f"RequestId: {call.id} Error: Task timed out after {limit:.2f} seconds")
            )
            self._process.kill()
        if pending.invocation is None:
            raise RuntimeError("a call was settled without an outcome")
        return pending.invocation

    def _with_log(
        self, invocation: Invocation, *, seconds: float = 0.0, init_seconds: float | None = None
    ) -> Invocation:
        tail = "".join(f"{line}\n" for line in self._tail).encode()[-_TAIL_BYTES:]
        return Invocation(invocation.raw, invocation.error, tail.decode(errors="replace"), seconds, init_seconds)

    def _note(self, line: str) -> None:
        self._tail.append(line)
        self._log(self.spec.key, line)

    def _pump(self) -> None:
        with self._process.output as output:
            readable = select.poll()
            readable.register(output, select.POLLIN | select.POLLHUP)
            rest = b""
            while readable.poll():
                # Reading and keeping are one step, so that whoever finds the pipe empty finds the lines kept.
                with self._pumping:
                    chunk = os.read(output.fileno(), 65536)
                    *lines, rest = (rest + chunk).split(b"\n")
                    if not chunk and rest:
                        lines.append(rest)
                    for line in lines:
                        self._note(line.decode(errors="replace"))
                if not chunk:
                    return

    def _drain(self) -> None:
        """Let the pump catch up with what the call printed; a process that keeps printing is not waited for."""
        until = time.monotonic() + _DRAIN_SECONDS
        while _unread(self._process.output) and time.monotonic() < until:
            time.sleep(0.0005)
        with self._pumping:
            pass

    def _await_end(self) -> None:
        self._api.process_ended(self._process.wait())

    def _variables(self) -> dict[str, str]:
        spec = self.spec
        return {
            "PATH": spec.path,
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            **INTERPRETER,
            "PYTHONPATH": os.pathsep.join(map(str, (spec.folder, *spec.layers))),
            "_HANDLER": spec.handler,
            "LAMBDA_TASK_ROOT": str(spec.folder),
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime(f"%Y/%m/%d/[{spec.version}]", time.gmtime())
            + self._folder.name,
            **spec.environment,
        }


def _unread(output: IO[bytes]) -> int:
    try:
        return int(struct.unpack("i", fcntl.ioctl(output.fileno(), termios.FIONREAD, b"\0\0\0\0"))[0])
    except (OSError, ValueError):
        # The pump closed it: the process is gone and everything was read.
        return 0
