"""Keeps other web pages out: only requests that name this machine are answered (DNS rebinding)."""

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from devstack.callers import LOCAL_NAMES


def only_local(app: ASGIApp) -> ASGIApp:
    """Refuse requests whose Host header is another machine's name."""
    return TrustedHostMiddleware(app, allowed_hosts=list(LOCAL_NAMES), www_redirect=False)
