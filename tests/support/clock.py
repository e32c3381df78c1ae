"""Time that moves only when told."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """A clock for tests, starting at a fixed moment."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._now = start

    def now(self) -> datetime:
        """The current time."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return (self._now - self._start).total_seconds()

    def pass_by(self, duration: timedelta) -> None:
        """Let time pass."""
        self._now += duration
