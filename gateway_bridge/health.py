"""GET /health and GET /ready for the container's platform."""

import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from discord_agent.domain.errors import InvalidSettings

type Conditions = Callable[[], dict[str, bool]]

_HEALTH: Final = "/health"
_READY: Final = "/ready"


async def serve_health(host: str, port: int, conditions: Conditions, now: Callable[[], datetime]) -> Server:
    """Answer on the event loop itself, so that a stuck loop is not healthy.

    Health says that the process runs; ready says 503 until all ``conditions`` hold, and which do not.
    InvalidSettings when the port is taken.
    """

    def answer(connection: ServerConnection, request: Request) -> Response:
        timestamp = now().isoformat()
        if request.path == _HEALTH:
            return _json(connection, HTTPStatus.OK, {"status": "ok", "timestamp": timestamp})
        if request.path == _READY:
            held = conditions()
            is_ready = all(held.values())
            status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
            word = "ready" if is_ready else "not ready"
            return _json(connection, status, {"status": word, "timestamp": timestamp, **held})
        return _json(connection, HTTPStatus.NOT_FOUND, {"error": "only /health and /ready are here"})

    try:
        return await serve(_never, host, port, process_request=answer)
    except OSError as error:
        raise InvalidSettings(
            f"HEALTH_PORT: {host}:{port} cannot be served ({error.strerror}); choose another"
        ) from error


def _json(connection: ServerConnection, status: HTTPStatus, body: dict[str, object]) -> Response:
    response = connection.respond(status, json.dumps(body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


async def _never(connection: ServerConnection) -> None:
    """No WebSocket is ever opened: every request is answered before."""
    await connection.close()
