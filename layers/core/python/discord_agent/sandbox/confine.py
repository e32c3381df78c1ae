"""Started as a program of its own in front of every command, so that the command has no rights and leaves nothing.

``python -I -S confine.py PROGRAM ARGUMENT…`` gives up every capability and the way to get new ones, becomes the
parent of whatever the command orphans, and at the end, at SIGTERM, or when its parent dies, kills all that is left. It imports nothing
but small parts of the standard library: it runs before every command.
"""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38


class _Terminated(Exception):
    pass


def main(command: list[str]) -> int:
    """Run ``command`` confined; its exit status, 128 + signal number if a signal ended it."""
    _give_up_rights()
    signal.signal(signal.SIGTERM, _terminate)
    _end_with_parent()
    try:
        child = os.fork()
        if child == 0:
            # Python ignores SIGPIPE, which a shell pipeline needs, and would hand that down.
            for number in (signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            _become(command)
        status = _wait_for(child)
    except _Terminated:
        status = 128 + signal.SIGTERM
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _kill_descendants()
    return status


def _give_up_rights() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("cannot give up new privileges")
    # Root keeps its files but loses its powers at the next exec: above all that of reading other processes.
    # A process that is not root may not drop these, and has none of them.
    for capability in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
        within_reach = libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1 and os.geteuid() == 0
        if within_reach and libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            sys.exit("cannot give up the capabilities of root")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_parent() -> None:
    """Have the kernel send SIGTERM when the runtime process dies, even by kill -9."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _become(command: list[str]) -> None:
    try:
        os.execvp(command[0], command)  # noqa: S606 - a list, without a shell
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


def _wait_for(child: int) -> int:
    while True:
        process, status = os.wait()
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _kill_descendants() -> None:
    """Kill children until none is left; what they orphan becomes our child and is killed in the next pass."""
    with suppress(ChildProcessError):
        while True:
            ended = os.waitpid(-1, os.WNOHANG)[0]
            if not ended:
                for process in _children(os.getpid()):
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                os.wait()


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                after_name = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                if int(after_name[1]) == parent:
                    found.append(int(entry.name))
    return found


def _terminate(_signal: int, _frame: object) -> None:
    raise _Terminated


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
