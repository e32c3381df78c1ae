"""The HTTP API in front of functions, as API Gateway calls them (payload format 2.0)."""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from devstack.aws.functions.model import Invocation, InvocationRefused
from devstack.aws.http import Request, Response

_JSON: Final = {"Content-Type": "application/json"}

type Invoke = Callable[[str, bytes], Invocation]


@dataclass(frozen=True, slots=True)
class Route:
    """Requests that a function answers; with ``refusal`` the API may not call it."""

    method: str
    path: str
    function: str
    refusal: str = ""


class HttpApi:
    """Answers by the functions of its routes; a function that fails is the API's failure."""

    def __init__(self, routes: Sequence[Route], invoke: Invoke) -> None:
        self._routes = {(route.method, route.path): route for route in routes}
        self._invoke = invoke

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        url = urlsplit(request.path)
        route = self._routes.get((request.method, url.path))
        if route is None:
            return Response(404, b'{"message":"Not Found"}', _JSON)
        if route.refusal:
            return _FAILED
        body = request.body.decode("utf-8", "replace")
        event = http_event(request.method, url.path, dict(request.headers.items()), body, query=url.query)
        try:
            invocation = self._invoke(route.function, json.dumps(event).encode())
        except InvocationRefused:
            return _FAILED
        answer = invocation.payload
        if invocation.error is not None or not isinstance(answer, dict):
            return _FAILED
        return Response(
            int(answer.get("statusCode", 200)), str(answer.get("body", "")).encode(), dict(answer.get("headers", {}))
        )


_FAILED: Final = Response(500, b'{"message":"Internal Server Error"}', _JSON)


def http_event(method: str, path: str, headers: dict[str, str], body: str, *, query: str = "") -> dict[str, Any]:
    """The event API Gateway makes of a request."""
    now = time.time()
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": str(uuid.uuid4()),
            "timeEpoch": int(now * 1000),
        },
        "body": body,
        "isBase64Encoded": False,
    }
