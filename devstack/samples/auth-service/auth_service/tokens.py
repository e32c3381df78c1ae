"""Session tokens: random strings that the server remembers."""

import secrets
import time
from collections.abc import Callable

from auth_service.errors import InvalidToken


class Tokens:
    """Issues tokens and checks them; ``lifetime`` in seconds."""

    def __init__(self, *, lifetime: int = 3600, clock: Callable[[], float] = time.time) -> None:
        self._lifetime = lifetime
        self._clock = clock
        self._issued: dict[str, tuple[str, float]] = {}

    def issue(self, name: str) -> str:
        """A new token for somebody."""
        token = secrets.token_urlsafe(24)
        self._issued[token] = (name, self._clock() + self._lifetime)
        return token

    def owner(self, token: str) -> str:
        """Whose token it is; InvalidToken if it is unknown or expired."""
        name, expires = self._issued.get(token, ("", 0.0))
        if not name or self._clock() >= expires:
            raise InvalidToken("sign in again")
        return name

    def revoke(self, token: str) -> None:
        """Forget a token; an unknown one is no error."""
        self._issued.pop(token, None)
