"""Imports libraries once and forks execution environments: template_main.py FD RUNNER MODULE...

FD is a packet socket to the stack; it closes when the stack is gone, however it went. RUNNER is the script that a
new interpreter would run for an environment; a forked one runs it just so. The script stands alone, as the libraries
do: nothing of the stack or the product may be imported here.

Packets are JSON lists. From the stack: ``["fork", ticket, folder, variables, arguments]`` with two descriptors, the
output and what the runner watches, and ``["kill", ticket]``. To the stack: ``["ready"]``, ``["born", ticket, pid]``,
``["ended", ticket, status]`` and, once a killed group is gone, ``["released", ticket, status]``.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_LARGEST_PACKET: Final = 1 << 20
_HIGHEST_DESCRIPTOR: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Start:
    """What a forked process is to become."""

    output: int
    lifeline: int
    folder: str
    variables: dict[str, str]
    arguments: list[str]


@dataclass(frozen=True, slots=True)
class _Born:
    """A forked process; it is collected when the stack asks for it, so that its id stays its own until then."""

    ticket: int
    pid: int
    watch: int


class _Template:
    """Waits for orders and for ends, in one thread."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._born: dict[int, _Born] = {}
        self._watched: dict[int, _Born] = {}
        self._events = select.poll()
        self._events.register(control, select.POLLIN)

    def serve(self) -> _Start | None:
        """Returns in each forked process with what it is to become, and in this one with None at the end."""
        self._send("ready")
        while True:
            for descriptor, _ in self._events.poll():
                if descriptor in self._watched:
                    self._report(self._watched[descriptor])
                elif descriptor == self._control.fileno():
                    packet, descriptors, _, _ = socket.recv_fds(self._control, _LARGEST_PACKET, 2)
                    if not packet:
                        return None
                    start = self._obey(json.loads(packet), descriptors)
                    if start is not None:
                        return start

    def _obey(self, order: list[Any], descriptors: list[int]) -> _Start | None:
        match order:
            case ["fork", int(ticket), str(folder), dict(variables), list(arguments)]:
                output, lifeline = descriptors
                return self._fork(ticket, _Start(output, lifeline, folder, variables, arguments))
            case ["kill", int(ticket)] if ticket in self._born:
                self._release(self._born.pop(ticket))
        return None

    def _fork(self, ticket: int, start: _Start) -> _Start | None:
        pid = os.fork()
        if pid == 0:
            # Its descriptor is closed with all others: the object must not close whatever gets the number next.
            self._control.detach()
            return start
        os.close(start.output)
        os.close(start.lifeline)
        born = _Born(ticket, pid, os.pidfd_open(pid))
        self._born[ticket] = self._watched[born.watch] = born
        self._events.register(born.watch, select.POLLIN)
        self._send("born", ticket, pid)
        return None

    def _report(self, born: _Born) -> None:
        self._forget(born)
        self._send("ended", born.ticket, _status_of(born.pid))

    def _release(self, born: _Born) -> None:
        if born.watch in self._watched:
            self._forget(born)
        for send in (os.killpg, os.kill):
            # It may have had no time yet to make a group of its own; without a group it has started nothing.
            with contextlib.suppress(ProcessLookupError):
                send(born.pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(born.pid, 0)[1])
        self._send("released", born.ticket, status)

    def _forget(self, born: _Born) -> None:
        del self._watched[born.watch]
        self._events.unregister(born.watch)
        os.close(born.watch)

    def _send(self, *message: object) -> None:
        self._control.send(json.dumps(message).encode())


def _status_of(pid: int) -> int:
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if ended is None:
        raise RuntimeError("a process was reported as ended and has not")
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _import(modules: list[str]) -> dict[str, str]:
    """Import the modules; the variables that they set for their own later use."""
    before = dict(os.environ)  # noqa: TID251 (compared, not read)
    for module in modules:
        importlib.import_module(module)
    return {name: value for name, value in os.environ.items() if before.get(name) != value}  # noqa: TID251 (as above)


def _require_forkable(control: int) -> None:
    """Threads and connections of a library would be broken or shared in every copy."""
    tasks = len(list(Path("/proc/self/task").iterdir()))
    if tasks > 1:
        sys.exit(f"the libraries of a template started {tasks - 1} threads when they were imported")
    sockets = [name for name in map(_target, Path("/proc/self/fd").iterdir()) if name.startswith("socket:")]
    if sockets != [_target(Path(f"/proc/self/fd/{control}"))]:
        sys.exit(f"the libraries of a template opened sockets when they were imported: {sockets}")


def _target(descriptor: Path) -> str:
    # The descriptor that lists the folder is gone when it is looked at.
    with contextlib.suppress(FileNotFoundError):
        return str(descriptor.readlink())
    return ""


def _become(start: _Start, runner: str, added: dict[str, str]) -> None:
    """Make this process what a new interpreter would be, but for the libraries it holds, and run."""
    os.setsid()
    os.dup2(start.output, 1)
    os.dup2(start.output, 2)
    os.closerange(3, start.lifeline)
    os.closerange(start.lifeline + 1, _HIGHEST_DESCRIPTOR)
    os.environ.clear()  # noqa: TID251 (the function's whole environment comes with the order)
    os.environ.update(added | start.variables)  # noqa: TID251 (as above)
    os.chdir(start.folder)
    time.tzset()
    tempfile.tempdir = None
    sys.path[:0] = start.variables["PYTHONPATH"].split(os.pathsep)
    sys.argv = [runner, str(start.lifeline), *start.arguments]
    gc.enable()
    runpy.run_path(runner, run_name="__main__")


def main() -> None:
    """Import, then fork on demand."""
    control, runner, modules = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    # Collections in between would leave holes in the pages that all copies share, frozen objects are left alone.
    gc.disable()
    added = _import(modules)
    _require_forkable(control)
    gc.freeze()
    start = _Template(socket.socket(fileno=control)).serve()
    if start is None:
        # Nothing to flush or to save, and taking down all libraries would take a second.
        os._exit(0)
    _become(start, runner, added)


if __name__ == "__main__":
    main()
