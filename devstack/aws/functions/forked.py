"""A forked execution environment as the stack sees it: what its template reports, and what is told to the template."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import IO


class Forked:
    """Its output arrives on ``output``; it ends when the lifeline's other end is closed."""

    def __init__(self, output: int, lifeline: int, order_kill: Callable[[], None]) -> None:
        self.output: IO[bytes] = os.fdopen(output, "rb")
        self._lifeline = lifeline
        self._order_kill = order_kill
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._status: int | None = None
        self._settled = threading.Event()
        self._ended = threading.Event()
        self._released = threading.Event()

    @property
    def pid(self) -> int:
        """The process id."""
        if self._pid is None:
            raise RuntimeError("a process that was never born has no id")
        return self._pid

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal's number; None while it runs."""
        return self._status

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return not self._ended.is_set()

    def wait(self) -> int:
        """Wait for the end; the exit status."""
        self._ended.wait()
        if self._status is None:
            raise RuntimeError("a process ended without a status")
        return self._status

    def kill(self) -> None:
        """End the whole group at once; on return the process is gone."""
        self._order_kill()
        self._released.wait()

    def await_birth(self) -> bool:
        """Wait until the template has made it; whether it has."""
        self._settled.wait()
        return self._pid is not None

    def born(self, pid: int) -> None:
        """The template has made it."""
        self._pid = pid
        self._settled.set()

    def ended(self, status: int) -> None:
        """The template has seen its end."""
        if not self._ended.is_set():
            self._status = status
            self._ended.set()

    def released(self, status: int) -> None:
        """The template has ended its group and collected it."""
        self.ended(status)
        with self._lock:
            if not self._released.is_set():
                os.close(self._lifeline)
                self._released.set()
        if self._pid is None:
            self.output.close()
        self._settled.set()

    def lost(self) -> None:
        """The template is gone: nobody else ends the group or learns how the process ended."""
        if self._pid is not None and not self._released.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        self.released(-signal.SIGKILL)
