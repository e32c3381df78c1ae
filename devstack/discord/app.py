"""Puts the server's parts together."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx
from nacl.signing import SigningKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from devstack.discord.access import Access
from devstack.discord.application_endpoints import ApplicationEndpoints
from devstack.discord.channels import Channels
from devstack.discord.chat import Chat
from devstack.discord.endpoints import BotEndpoints
from devstack.discord.faults import Faults
from devstack.discord.files import INLINE_TYPES, Files
from devstack.discord.gateway import Gateway
from devstack.discord.interactions import Interactions
from devstack.discord.limits import RateLimits
from devstack.discord.payloads import Payloads
from devstack.discord.records import Attachment
from devstack.discord.responses import Responses
from devstack.discord.rest import Endpoint, Rest
from devstack.discord.rules import Rules
from devstack.discord.seed import Bot, plant
from devstack.discord.snowflakes import Snowflakes, is_snowflake
from devstack.discord.store import Store
from devstack.discord.world import World


@dataclass(frozen=True, slots=True)
class Parts:
    """What the server is made of."""

    world: World
    payloads: Payloads
    chat: Chat
    channels: Channels
    gateway: Gateway
    rest: Rest
    endpoints: tuple[Endpoint, ...]
    interactions: Interactions


def build(
    store: Store,
    *,
    rules: Rules,
    now: Callable[[], float],
    url: str,
    token: str,
    bot: Bot,
    faults: Faults,
) -> Parts:
    """Build all parts over a store; plants the seed if the store is new."""
    plant(store, bot)
    access = Access(store)
    files = Files(store, rules, now, url, _kept_secret(store, "attachment-key"))
    world = World(store, Snowflakes(now, store.newest_id()), now, rules, access, files, bot.id)
    payloads = Payloads(store, files, access, bot.id, bot.message_content)
    chat = Chat(world, payloads)
    channels = Channels(world, chat, payloads)
    gateway = Gateway(world, payloads, token, f"ws{url.removeprefix('http')}")
    limits = RateLimits(rules, now)
    rest = Rest(world, token, limits, faults)
    responses = Responses(world, chat)
    # The proxies of the environment lead to other machines; an endpoint may well be on this one.
    http = httpx.AsyncClient(trust_env=False, timeout=None)  # noqa: S113 - every use has the interaction's deadline
    key = SigningKey(_kept_secret(store, "signing-key"))
    interactions = Interactions(world, payloads, gateway, key, responses.respond, http)
    endpoints = (
        *BotEndpoints(world, chat, channels, payloads, gateway, limits).all(),
        *ApplicationEndpoints(world, payloads, interactions, responses).all(),
    )
    return Parts(world, payloads, chat, channels, gateway, rest, endpoints, interactions)


def routes(parts: Parts) -> list[BaseRoute]:
    """All routes of Discord itself."""
    return [
        WebSocketRoute("/gateway", parts.gateway.serve),
        WebSocketRoute("/gateway/resume", parts.gateway.serve),
        Route("/attachments/{channel_id}/{attachment_id}/{filename}", _attachment(parts.world)),
        parts.rest.mount(parts.endpoints),
    ]


def _attachment(world: World) -> Callable[[Request], Response]:
    def serve(request: Request) -> Response:
        identifier = str(request.path_params["attachment_id"])
        if not is_snowflake(identifier) or not world.files.is_valid(identifier, request.query_params):
            return Response("This content is no longer available.", 404)
        attachment, content = world.store.get(Attachment, identifier), world.store.file(identifier)
        if attachment is None or content is None:
            return JSONResponse({"message": "404: Not Found", "code": 0}, 404)
        is_inline = attachment.content_type in INLINE_TYPES
        manner = "inline" if is_inline else "attachment"
        headers = {
            # Names hold letters of any script, headers only Latin ones.
            "Content-Disposition": f"{manner}; filename*=UTF-8''{quote(attachment.filename, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        media_type = attachment.content_type if is_inline else "application/octet-stream"
        return Response(content, media_type=media_type, headers=headers)

    return serve


def _kept_secret(store: Store, name: str) -> bytes:
    """A key of 32 bytes, made at the first start."""
    kept = store.setting(name)
    if kept is None:
        kept = secrets.token_hex(32)
        store.set(name, kept)
    return bytes.fromhex(kept)
