"""Runs a module as a program that ends when its parent does: die_with_parent.py FD SIGNAL MODULE [ARGUMENTS...].

FD is the read end of a pipe whose write end only the parent holds; it closes when the parent is gone, however it
went. The script stands alone: it runs with the module's environment, where nothing of the stack can be imported.
"""

import os
import runpy
import signal
import sys
import threading


def _watch(descriptor: int, signal_number: int) -> None:
    os.read(descriptor, 1)
    # The whole group: what the module started must not outlive it either.
    os.killpg(os.getpgid(0), signal_number)


def main() -> None:
    """Watch the parent and run the module."""
    descriptor, signal_number = int(sys.argv[1]), signal.Signals[sys.argv[2]]
    os.set_inheritable(descriptor, False)  # noqa: FBT003 (the standard library's signature)
    threading.Thread(target=_watch, args=(descriptor, signal_number), daemon=True).start()
    sys.argv = sys.argv[3:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
