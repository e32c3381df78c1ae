"""When the next request may leave: what Discord's answers say about buckets, and blocks after a 429."""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

_REMEMBERED: Final = 1000


class Route(Struct, frozen=True):
    """What a limit belongs to: method, path template and major id (channel, guild, or webhook with token).

    Not the bucket hash of the answer: one hash may cover routes whose real limits differ.
    """

    method: str
    template: str
    major: str


class _Bucket(Struct, frozen=True):
    remaining: int
    resets_at: float


class RateLimits:
    """The known buckets of one process; times are monotonic, because Discord's clock is not ours."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[Route, _Bucket] = {}
        self._all_blocked_until = 0.0
        self._lock = threading.Lock()

    def take(self, route: Route, *, counts_globally: bool = True) -> float:
        """Zero and one request used, or the seconds to wait before asking again."""
        with self._lock:
            now = self._monotonic()
            blocked = self._all_blocked_until - now
            if counts_globally and blocked > 0:
                return blocked
            bucket = self._buckets.get(route)
            if bucket is None or bucket.resets_at <= now:
                self._buckets.pop(route, None)
                return 0.0
            if bucket.remaining < 1:
                return bucket.resets_at - now
            self._buckets[route] = _Bucket(bucket.remaining - 1, bucket.resets_at)
            return 0.0

    def learn(self, route: Route, headers: Mapping[str, str]) -> None:
        """Take in the X-RateLimit headers of an answer; missing or odd ones teach nothing."""
        remaining = number(headers.get("x-ratelimit-remaining"))
        reset_after = number(headers.get("x-ratelimit-reset-after"))
        if remaining is None or reset_after is None:
            return
        with self._lock:
            self._forget_the_past()
            self._buckets[route] = _Bucket(int(remaining), self._monotonic() + reset_after)

    def block(self, route: Route, seconds: float, *, everything: bool) -> None:
        """Let nothing leave on this route, or on any, for a while."""
        with self._lock:
            until = self._monotonic() + seconds
            if everything:
                self._all_blocked_until = max(self._all_blocked_until, until)
            else:
                self._buckets[route] = _Bucket(0, until)

    def _forget_the_past(self) -> None:
        if len(self._buckets) >= _REMEMBERED:
            now = self._monotonic()
            self._buckets = {route: bucket for route, bucket in self._buckets.items() if bucket.resets_at > now}


def number(value: object) -> float | None:
    """A header's or a body's number that is not negative; None for anything else."""
    try:
        parsed = float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
    return parsed if parsed is not None and 0 <= parsed < float("inf") else None
