"""Running a program for the model: confined, watched, with an end in time."""

import ctypes
import logging
import os
import platform
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from discord_agent.domain.errors import SandboxUnavailable
from discord_agent.sandbox import confine

_LOG = logging.getLogger(__name__)

MAX_OUTPUT_BYTES: Final = 8 * 1024 * 1024
"""A command that prints more is stopped: its output is kept in the workspace."""

_CHUNK_BYTES: Final = 64 * 1024
STOP_POLL_SECONDS: Final = 0.75
_LOOK_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 3.0
_PR_SET_DUMPABLE: Final = 4


class End(StrEnum):
    """How a program ended."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"
    TOO_MUCH_OUTPUT = "too_much_output"


@dataclass(frozen=True, slots=True)
class Finished:
    """A program's end and exit status."""

    end: End
    exit_code: int


def hide_process() -> None:
    """Make this process's environment and memory unreadable to other processes of the same user."""
    if platform.system() != "Linux":
        raise SandboxUnavailable("commands are confined by means that only Linux has; run this on Linux")
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise SandboxUnavailable("the runtime process cannot be hidden from commands")


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: BinaryIO,
    seconds: float,
    stop_requested: Callable[[], bool],
    given: BinaryIO | None = None,
) -> Finished:
    """Run a program to its end and leave no process behind; both output streams go to ``output``, ``given`` is read."""
    with (
        _watching(stop_requested) as stopped,
        subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(confine.__file__)), *command],
            cwd=folder,
            env=dict(environment),
            stdin=given or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            end = _copy_until_end(process, output, time.monotonic() + seconds, stopped)
        finally:
            _end(process)
    return Finished(end, process.returncode)


def _copy_until_end(
    process: "subprocess.Popen[bytes]", sink: BinaryIO, deadline: float, stopped: threading.Event
) -> End:
    """Copy the output until the program has ended, or must."""
    if process.stdout is None:
        raise SandboxUnavailable("the command has no output to read")
    source, ended = process.stdout.fileno(), os.pidfd_open(process.pid)
    written = 0
    try:
        while True:
            ready = select.select([source, ended], [], [], _LOOK_SECONDS)[0]
            chunk = os.read(source, _CHUNK_BYTES) if source in ready else b""
            written += sink.write(chunk)
            # The program ends after all that could write has ended: an empty read then means that all was read.
            if ended in ready and not chunk:
                return End.EXITED
            if written > MAX_OUTPUT_BYTES:
                return End.TOO_MUCH_OUTPUT
            if stopped.is_set():
                return End.STOPPED
            if time.monotonic() > deadline:
                return End.TIMED_OUT
    finally:
        os.close(ended)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Let the confining process kill all it has; then its group, in case the command killed it."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    if process.poll() is None or process.returncode < 0:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _watching(stop_requested: Callable[[], bool]) -> Iterator[threading.Event]:
    """An event that is set once a stop was asked for."""
    stopped, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(STOP_POLL_SECONDS):
            try:
                if stop_requested():
                    stopped.set()
                    return
            except Exception:  # noqa: BLE001 - a failed look must not end the command; the next one may succeed
                _LOG.warning("cannot look for the stop marker", exc_info=True)

    thread = threading.Thread(target=watch, name="stop-watch", daemon=True)
    thread.start()
    try:
        yield stopped
    finally:
        over.set()
