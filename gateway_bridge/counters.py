"""Counters, written as JSON log lines."""

import json
import logging
from collections import Counter
from datetime import UTC, datetime
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Counters:
    """Counts since the process began; only touched from the event loop."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lag_seconds = 0.0

    def count(self, name: str, number: int = 1) -> None:
        """Add to a counter."""
        self.counts[name] += number

    def snapshot(self) -> dict[str, float]:
        """All counters, and how far the newest forwarded message lay in the past."""
        return {**dict(sorted(self.counts.items())), "lag_seconds": round(self.lag_seconds, 3)}


class JsonLines(logging.Formatter):
    """One JSON object per record, its extra fields included."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
