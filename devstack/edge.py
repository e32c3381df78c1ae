"""The HTTP API in front of ``interactions``, as API Gateway's HTTP API calls it (payload format 2.0)."""

import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.aws.functions.model import Invocation
from discord_agent.system import SYSTEM

PATH: Final = SYSTEM.functions["interactions"].path

type Invoke = Callable[[str, dict[str, Any]], Invocation]


def interactions_route(invoke: Invoke) -> Route:
    """``POST /interactions``, answered by the function."""

    async def interactions(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        event = http_event(request.method, request.url.path, dict(request.headers), body)
        result = await run_in_threadpool(invoke, "interactions", event)
        answer = result.payload
        if result.error or not isinstance(answer, dict):
            return Response('{"message":"Internal Server Error"}', 500, media_type="application/json")
        return Response(
            answer.get("body", ""), int(answer.get("statusCode", 200)), headers=dict(answer.get("headers", {}))
        )

    return Route(PATH, interactions, methods=["POST"])


def http_event(method: str, path: str, headers: dict[str, str], body: str) -> dict[str, Any]:
    """The event API Gateway makes of a request."""
    now = time.time()
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": str(uuid.uuid4()),
            "timeEpoch": int(now * 1000),
        },
        "body": body,
        "isBase64Encoded": False,
    }
