"""Real servers of the Model Context Protocol on the loopback interface, in each of the revisions we speak."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devstack.aws.http import listen

MODERN = MODERN_PROTOCOL_VERSIONS[-1]
HANDSHAKES = ("2025-06-18", "2025-11-25")
_START_SECONDS = 10


@dataclass
class Served:
    """A server that runs; ``headers`` and ``bodies`` are those of the requests it got."""

    url: str
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        """What was asked, in order."""
        return [str(body.get("method")) for body in self.bodies]

    @property
    def revisions(self) -> set[str]:
        """The protocol revisions that tool calls were made in."""
        pairs = zip(self.headers, self.bodies, strict=True)
        return {
            headers.get("mcp-protocol-version", "") for headers, body in pairs if body.get("method") == "tools/call"
        }


@contextmanager
def serving(server: MCPServer, *, revision: str = MODERN, token: str = "") -> Iterator[Served]:
    """Serve at one revision; with ``token`` only to those who bring it."""
    served = Served("")
    app: ASGIApp = server.streamable_http_app()
    app = _Recorded(app, served, _speaks(revision), token)
    listener = listen()
    served.url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve(sockets=[listener])), daemon=True)
    thread.start()
    started = threading.Event()
    for _ in range(_START_SECONDS * 100):
        if running.started or started.wait(0.01):
            break
    assert running.started
    try:
        yield served
    finally:
        running.should_exit = True
        thread.join(_START_SECONDS)
        listener.close()


def _speaks(revision: str) -> Callable[[dict[str, str], dict[str, Any]], str]:
    """Whether a request can be one of the revision: the reason why not, "" if it can."""

    def fault(headers: dict[str, str], body: dict[str, Any]) -> str:
        asked = headers.get("mcp-protocol-version", revision)
        if asked != revision:
            return f"unsupported protocol version {asked}"
        if body.get("method") == "initialize" and revision not in HANDSHAKES:
            return "there is no handshake in this revision"
        return ""

    return fault


class _Recorded:
    """Writes requests down and refuses those of other revisions, as a server does that knows but one."""

    def __init__(
        self, app: ASGIApp, served: Served, fault: Callable[[dict[str, str], dict[str, Any]], str], token: str
    ) -> None:
        self._app = app
        self._served = served
        self._fault = fault
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        raw = b""
        while True:
            part = await receive()
            raw += part.get("body", b"")
            if not part.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = json.loads(raw)
        self._served.headers.append(headers)
        self._served.bodies.append(body)
        if self._token and headers.get("authorization") != f"Bearer {self._token}":
            await _answer(send, 401, {"error": "no"})
            return
        fault = self._fault(headers, body)
        if fault:
            error = {"jsonrpc": "2.0", "id": body.get("id"), "error": {"code": -32600, "message": fault}}
            await _answer(send, 400, error)
            return
        revision = headers.get("mcp-protocol-version")
        if body.get("method") == "initialize" and revision is None and HANDSHAKES[0] in self._known():
            body["params"]["protocolVersion"] = HANDSHAKES[0]
        await self._app(_with_length(scope, body), _once(json.dumps(body).encode(), receive), send)

    def _known(self) -> tuple[str, ...]:
        return tuple(revision for revision in HANDSHAKES if not self._fault({"mcp-protocol-version": revision}, {}))


def _with_length(scope: Scope, body: dict[str, Any]) -> Scope:
    length = str(len(json.dumps(body).encode())).encode()
    headers = [(name, length if name == b"content-length" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers}


def _once(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def next_part() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_part


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
