"""Whom the local services answer: programs on this machine, never a page in somebody's browser.

They ask for no passwords. But a page of any site can send requests to this machine's ports, also under a name of its
own that it lets point here (DNS rebinding). The browser then sends headers that a page cannot leave out.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

LOCAL_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
REFUSAL: Final = b"Only programs on this machine are answered here."

_SENT_BY_BROWSERS: Final = ("origin", "sec-fetch-site")
_PORT: Final = re.compile(r":\d{1,5}\Z")

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def is_program_here(headers: Mapping[str, str]) -> bool:
    """Whether a request with these headers (names in lower case) comes from a program that means this machine."""
    names_this_machine = _PORT.sub("", headers.get("host", "")).lower() in LOCAL_NAMES
    return names_this_machine and not any(name in headers for name in _SENT_BY_BROWSERS)


def programs_only(application: Application) -> Application:
    """An ASGI application that answers 403 to everybody else."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if scope["type"] == "http" and not is_program_here(headers):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": REFUSAL})
        elif scope["type"] == "websocket" and not is_program_here(headers):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await application(scope, receive, send)

    return serve
