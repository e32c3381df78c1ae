"""Keeps other web pages out: only requests that name this machine are answered (DNS rebinding)."""

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


def only_local(app: ASGIApp) -> ASGIApp:
    """Refuse requests whose Host header is another machine's name."""
    return TrustedHostMiddleware(app, allowed_hosts=list(LOCAL_NAMES), www_redirect=False)
