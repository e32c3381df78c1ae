"""Discord's ids: a time in milliseconds, then a counter."""

import threading
from collections.abc import Callable

EPOCH_MS = 1_420_070_400_000
_COUNTER_BITS = 22


class Snowflakes:
    """Makes ids that always grow, also over a restart within the same millisecond (``last`` is the newest ever made)."""

    def __init__(self, now: Callable[[], float], last: int = 0) -> None:
        self._now = now
        self._last = last
        self._lock = threading.Lock()

    def next(self) -> str:
        """A new id."""
        with self._lock:
            self._last = max(at(self._now()), self._last + 1)
            return str(self._last)


def at(seconds: float) -> int:
    """The smallest id of a moment in Unix seconds."""
    return (int(seconds * 1000) - EPOCH_MS) << _COUNTER_BITS


def seconds_of(identifier: str) -> float:
    """The moment an id was made, in Unix seconds."""
    return ((int(identifier) >> _COUNTER_BITS) + EPOCH_MS) / 1000


def is_snowflake(value: object) -> bool:
    """Whether a value is an id as text."""
    return isinstance(value, str) and value.isascii() and value.isdigit() and 0 < int(value) < 2**63
