"""Faults that tests switch on: answers that fail, as often as asked."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

_PLACEHOLDER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in place of the real one; ``body`` replaces the JSON, ``after`` lets the request take effect first."""

    status: int
    code: int = 0
    message: str = "Injected fault"
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    after: bool = False


@dataclass(slots=True)
class Faults:
    """Faults waiting for their requests; may be used from any thread."""

    _waiting: dict[tuple[str, str], list[Fault]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail_next(self, method: str, path: str, status: int, times: int = 1, **details: Any) -> None:
        """Fail the next requests of a route such as ``/channels/{channel}/messages``; ``details`` are Fault's fields."""
        with self._lock:
            self._waiting.setdefault(_key(method, path), []).extend([Fault(status, **details)] * times)

    def clear(self) -> None:
        """Forget all waiting faults."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that the next request of a route meets."""
        with self._lock:
            waiting = self._waiting.get(_key(method, path))
            return waiting.pop(0) if waiting else None


def _key(method: str, path: str) -> tuple[str, str]:
    return method.upper(), _PLACEHOLDER.sub("{}", path)
