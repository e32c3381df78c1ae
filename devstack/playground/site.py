"""The playground's routes: the page itself, what people do on it, what happens live, and the run beside it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from devstack.discord.app import Parts
from devstack.discord.errors import ApiError, Json
from devstack.playground.feed import Feed
from devstack.playground.people import Act, People, Visit
from devstack.playground.view import View

API: Final = "/playground/api"
_STATIC: Final = Path(__file__).with_name("static")
_ACTOR: Final = "x-playground-user"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


_STATIC_HEADERS: Final = (
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", _POLICY.encode()),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What the page says about itself; ``demo_prompt`` is what its button puts into the composer."""

    title: str = "Playground"
    intro: str = "A private Discord on this machine: same rules, nobody else here."
    model_note: str = ""
    demo_prompt: str = ""


class Runs(Protocol):
    """Where the panel's figures come from."""

    def observe(self, thread_id: str, execution_id: str | None = None) -> Json:
        """A thread's runs, and one of them in detail: the newest, or the one named."""


def site_routes(parts: Parts, page: Page, runs: Runs | None) -> list[BaseRoute]:
    """Everything under ``/`` and ``/playground``; without ``runs`` the panel stays empty."""
    view = View(parts)
    people = People(parts, view)
    feed = Feed(parts, view)

    async def state(request: Request) -> Response:
        visit = Visit(parts.world.access.user(_actor(request)), request)
        return JSONResponse({**people.state(visit.user), "page": asdict(page)})

    async def observe(request: Request) -> Response:
        if runs is None:
            return JSONResponse({"runs": [], "run": None})
        query = request.query_params
        found = await run_in_threadpool(runs.observe, query.get("thread", ""), query.get("execution"))
        return JSONResponse(found)

    async def listen(socket: WebSocket) -> None:
        origin = socket.headers.get("origin")
        # A sandboxed frame of any site has the origin "null", which names no host either.
        if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
            await socket.close(4403)
            return
        await feed.serve(socket)

    routes: list[BaseRoute] = [
        Route(f"{API}/state", _answering(state)),
        Route(f"{API}/runs", _answering(observe)),
        WebSocketRoute(f"{API}/feed", listen),
    ]
    routes += [Route(API + act.path, _acting(parts, act), methods=[act.method]) for act in people.acts()]
    static = _guarded(StaticFiles(directory=_STATIC))
    return [*routes, Route("/", _index), Mount("/playground", static)]


async def _index(_: Request) -> Response:
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
    return FileResponse(_STATIC / "index.html", headers=headers)


def _guarded(app: ASGIApp) -> ASGIApp:
    """Static files under the page's policy: asked for anew after an update, and never guessed to be another type."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += _STATIC_HEADERS
            await send(message)

        await app(scope, receive, with_headers)

    return serve


def _actor(request: Request) -> str:
    """Who acts. Other sites cannot send this header, so they cannot act here through somebody's browser."""
    return request.headers.get(_ACTOR, "")


def _acting(parts: Parts, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        data = await act.handler(Visit(parts.world.access.user(_actor(request)), request))
        return Response(status_code=204) if data is None else JSONResponse(data)

    return _answering(respond)


def _answering(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            return await handler(request)
        except ApiError as error:
            return JSONResponse(error.payload(), error.status, error.headers)

    return respond
