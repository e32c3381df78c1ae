"""An ended program stays ended: the first end counts, and whoever begins to wait after it is woken at once.

moto sets and clears the event in one breath, so that a wait which starts a moment later sleeps on; and an error of a
state that was stopped turns ABORTED into FAILED.
"""

import threading
from typing import Any

from moto.stepfunctions.parser.asl.eval.environment import Environment


class Latch(threading.Event):
    """An event that cannot be taken back."""

    def clear(self) -> None:
        """Nothing: an end is final."""


def mend() -> None:
    """Give every environment a latch, and let no later end replace the first."""
    Environment.set_error = _once(Environment.set_error)
    Environment.set_timed_out = _once(Environment.set_timed_out)
    original = Environment.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 (replaces moto's)
        original(self, *args, **kwargs)
        self.program_state_event = Latch()

    Environment.__init__ = __init__


def _once(original: Any) -> Any:
    def end(self: Any, **details: Any) -> None:
        with self._state_mutex:
            if self.is_running():
                original(self, **details)

    return end
