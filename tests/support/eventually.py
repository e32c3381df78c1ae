"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

_PAUSE = 0.01


def eventually[T](probe: Callable[[], T], *, seconds: float = 5.0, pause: float = _PAUSE) -> T:
    """Return the first truthy value of ``probe``; AssertionError, naming the last value, when time is up."""
    deadline = time.monotonic() + seconds
    while not (value := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s; last value: {value!r:.300}")
        time.sleep(pause)
    return value
