"""What every REST request passes on its way: address ban, authorisation, faults, rate limits, errors as JSON."""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from devstack.discord.bodies import read_body
from devstack.discord.drafts import UploadedFile
from devstack.discord.errors import ApiError, unauthorized
from devstack.discord.faults import Fault, Faults
from devstack.discord.limits import RateLimits
from devstack.discord.records import User
from devstack.discord.rules import Window
from devstack.discord.world import World

API_PREFIX = "/api/v10"
_REMEMBERED = 100_000
_MAJOR = ("channel_id", "guild_id", "token")


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way to an endpoint."""

    request: Request
    bot: User
    size_limit: int

    def __getitem__(self, name: str) -> str:
        """A value from the path."""
        return str(self.request.path_params[name])

    async def body(self) -> tuple[Any, tuple[UploadedFile, ...]]:
        """The JSON part and the files."""
        return await read_body(self.request, self.size_limit)

    async def fields(self) -> dict[str, Any]:
        """The JSON part where only an object makes sense."""
        body, _ = await self.body()
        return body if isinstance(body, dict) else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """An endpoint's result; no ``data`` with 204 or 202."""

    data: Any = None
    status: int = 200


type Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path; ``needs_token`` is False where a token in the path is the right to call it."""

    method: str
    path: str
    handler: Handler
    window: Window
    needs_token: bool = True


@dataclass(slots=True)
class Seen:
    """A request that was answered, for tests and judges."""

    method: str
    path: str
    status: int
    at: float


@dataclass(slots=True)
class Rest:
    """Wraps endpoints in Discord's rules."""

    world: World
    token: str
    limits: RateLimits
    faults: Faults
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def mount(self, endpoints: Sequence[Endpoint]) -> Mount:
        """All endpoints under the API's prefix."""
        by_path: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        routes = [Route(path, self._serve(methods), methods=ALL_METHODS) for path, methods in by_path.items()]
        return Mount(API_PREFIX, routes=[*routes, Route("/{rest:path}", _not_found, methods=ALL_METHODS)])

    def _serve(self, methods: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            endpoint = methods.get(request.method)
            if endpoint is None:
                return JSONResponse({"message": "405: Method Not Allowed", "code": 0}, 405)
            response = await self._answer(request, endpoint)
            self.limits.count_invalid(response.status_code, response.headers.get("X-RateLimit-Scope"))
            self.seen.append(Seen(request.method, request.url.path, response.status_code, self.world.now()))
            return response

        return serve

    async def _answer(self, request: Request, endpoint: Endpoint) -> Response:
        if wait := self.limits.banned_for():
            return HTMLResponse(
                "<h1>Error 1015</h1> You are being rate limited", 429, {"Retry-After": str(int(wait) + 1)}
            )
        headers: dict[str, str] = {}
        fault = None
        try:
            self._check_caller(request, endpoint)
            fault = self.faults.take(endpoint.method, endpoint.path)
            if fault is not None and not fault.after:
                return _faulty(fault)
            headers = self.limits.check(
                self._bucket(request, endpoint), endpoint.window, counts_globally=endpoint.needs_token
            )
            call = Call(request, self.world.access.user(self.world.bot_id), self.world.rules.request_size)
            answer = await endpoint.handler(call)
        except ApiError as error:
            return JSONResponse(error.payload(), error.status, headers | error.headers)
        if fault is not None:
            return _faulty(fault)
        if answer.status in {202, 204}:
            return Response(status_code=answer.status, headers=headers)
        return JSONResponse(answer.data, answer.status, headers)

    def _check_caller(self, request: Request, endpoint: Endpoint) -> None:
        if not request.headers.get("user-agent", "").startswith("DiscordBot ("):
            # What Discord answers to libraries that do not introduce themselves.
            raise ApiError(403, 40333, "internal network error")
        if endpoint.needs_token and request.headers.get("authorization") != f"Bot {self.token}":
            raise unauthorized()

    def _bucket(self, request: Request, endpoint: Endpoint) -> str:
        major = next((str(request.path_params[name]) for name in _MAJOR if name in request.path_params), "")
        return f"{endpoint.method} {endpoint.path} major {major}"


ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def _not_found(_: Request) -> Response:
    return JSONResponse({"message": "404: Not Found", "code": 0}, 404)


def _faulty(fault: Fault) -> Response:
    body = {"message": fault.message, "code": fault.code} if fault.body is None else fault.body
    content = body if isinstance(body, str) else json.dumps(body)
    media_type = "text/html" if isinstance(body, str) else "application/json"
    return Response(content, fault.status, dict(fault.headers), media_type)
