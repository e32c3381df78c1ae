"""Runs a module as a program that ends when its parent does: die_with_parent.py FD SIGNAL MODULE [ARGUMENTS...].

FD is the read end of a pipe whose write end only the parent holds; it closes when the parent is gone, however it
went. The script stands alone: it runs with the module's environment, where nothing of the stack can be imported.
"""

import os
import runpy
import select
import signal
import sys
import threading

_GOODBYE_MILLISECONDS = 100


def _watch(descriptor: int, signal_number: int) -> None:
    os.read(descriptor, 1)
    _end_group(signal_number)


def _end_group(signal_number: int) -> None:
    # The whole group: what the module started must not outlive it either.
    os.killpg(os.getpgid(0), signal_number)


def _is_orphan(descriptor: int) -> bool:
    """Whether the parent is gone; one whose other connections broke just now gets the time to be."""
    parent = select.poll()
    parent.register(descriptor, select.POLLIN)
    return bool(parent.poll(_GOODBYE_MILLISECONDS))


def main() -> None:
    """Watch the parent and run the module."""
    descriptor, signal_number = int(sys.argv[1]), signal.Signals[sys.argv[2]]
    os.set_inheritable(descriptor, False)  # noqa: FBT003 (the standard library's signature)
    threading.Thread(target=_watch, args=(descriptor, signal_number), daemon=True).start()
    sys.argv = sys.argv[3:]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        # It may notice the parent's end by itself and be faster than the thread, which then ends nothing.
        if _is_orphan(descriptor):
            _end_group(signal_number)


if __name__ == "__main__":
    main()
