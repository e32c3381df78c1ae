"""What the scripted model was asked and what it answered, kept in memory and as JSON lines."""

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.model.request import Json


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One request; ``usage`` is None where a fault took the place of an answer, ``reply`` likewise.

    ``delivered`` says whether the caller stayed until the end. ``conversation`` is the same for a repeated request.
    """

    at: str
    purpose: str
    position: int
    conversation: str
    model: str
    stream: bool
    scripted: bool
    fault: str | None
    delivered: bool
    usage: Json | None
    messages: tuple[Json, ...]
    tools: tuple[str, ...]
    reply: Json | None


class CallLog:
    """The calls so far; with ``path`` each is appended there as one line of JSON."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._calls: list[LoggedCall] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[LoggedCall, ...]:
        """All calls since the start, oldest first."""
        with self._lock:
            return tuple(self._calls)

    def add(self, call: LoggedCall) -> None:
        """Append a call."""
        with self._lock:
            self._calls.append(call)
            if self._path:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(call), ensure_ascii=False) + "\n")
