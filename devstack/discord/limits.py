"""Rate limits: fixed windows that open with their first request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from devstack.discord.errors import ApiError
from devstack.discord.rules import Rules, Window

GLOBAL = "global"
RENAME_CODE = 20028
OLD_EDITS_CODE = 30046


@dataclass(slots=True)
class _Open:
    since: float
    used: int = 0


@dataclass(slots=True)
class Counters:
    """Counts requests per key."""

    now: Callable[[], float]
    _open: dict[str, _Open] = field(default_factory=dict)

    def take(self, key: str, window: Window) -> float:
        """Count one request; 0 if it fits, else the seconds until the window closes."""
        current = self._current(key, window)
        if current.used >= window.requests:
            return current.since + window.seconds - self.now()
        current.used += 1
        return 0.0

    def left(self, key: str, window: Window) -> tuple[int, float]:
        """How many requests still fit, and the seconds until the window closes."""
        current = self._current(key, window)
        return window.requests - current.used, max(0.0, current.since + window.seconds - self.now())

    def _current(self, key: str, window: Window) -> _Open:
        current = self._open.get(key)
        if current is None or self.now() >= current.since + window.seconds:
            current = self._open[key] = _Open(self.now())
        return current


class RateLimits:
    """Decides whether a bot's request passes, and says so in headers."""

    def __init__(self, rules: Rules, now: Callable[[], float]) -> None:
        self._rules = rules
        self._now = now
        self._counters = Counters(now)

    def check(self, key: str, window: Window, *, counts_globally: bool) -> dict[str, str]:
        """Count a request of the bucket ``key`` and return its headers; ApiError 429 if it does not fit."""
        if counts_globally and (wait := self._counters.take(GLOBAL, self._rules.all_requests)):
            raise self._refuse(wait, scope="global", headers={"X-RateLimit-Global": "true"})
        wait = self._counters.take(key, window)
        left, reset_after = self._counters.left(key, window)
        headers = {
            "X-RateLimit-Limit": str(window.requests),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": f"{self._now() + reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after:.3f}",
            "X-RateLimit-Bucket": blake2b(key.partition(" major ")[0].encode(), digest_size=16).hexdigest(),
        }
        if wait:
            raise self._refuse(wait, scope="user", headers=headers)
        return headers

    def check_rename(self, channel: str) -> None:
        """Count a rename: a limit that no header shows before it is hit."""
        if wait := self._counters.take(f"rename {channel}", self._rules.renames):
            raise self._refuse(wait, scope="shared", code=RENAME_CODE)

    def check_old_edit(self, channel: str, created_at: float) -> None:
        """Count the edit of a message if it is an old one."""
        is_old = self._now() - created_at > self._rules.old_message_age
        if is_old and (wait := self._counters.take(f"old edits {channel}", self._rules.old_message_edits)):
            message = "Maximum number of edits to messages older than 1 hour reached. Try again later."
            raise self._refuse(wait, scope="user", code=OLD_EDITS_CODE, message=message)

    def count_invalid(self, status: int, scope: str | None) -> None:
        """Count an answer that Discord holds against the sender's address."""
        if status in {401, 403} or (status == 429 and scope != "shared"):
            self._counters.take("invalid", self._rules.invalid_requests)

    def banned_for(self) -> float:
        """Seconds for which the sender's address is shut out after too many invalid requests; 0 if it is not."""
        left, reset_after = self._counters.left("invalid", self._rules.invalid_requests)
        return 0.0 if left > 0 else reset_after

    def _refuse(
        self,
        wait: float,
        *,
        scope: str,
        headers: Mapping[str, str] | None = None,
        code: int = 0,
        message: str = "You are being rate limited.",
    ) -> ApiError:
        # The header counts in whole seconds and must not make a client come back too early.
        all_headers = {**(headers or {}), "Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": scope}
        body = {"retry_after": round(wait, 3), "global": scope == "global"}
        return ApiError(429, code, message, body=body, headers=all_headers)
