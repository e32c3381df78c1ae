"""The bot as Discord knows it: asked with its token, checked, and invited."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import IntFlag
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from discord_agent.adapters.discord.client import Call, RestClient
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable, InvalidSettings

_TOKEN: Final = re.compile(r"[\w-]{17,}\.[\w-]{5,}\.[\w-]{25,}", re.ASCII)
_PORTAL: Final = "https://discord.com/developers/applications"
_READS_MESSAGES: Final = 1 << 18 | 1 << 19
"""The intent that shows the bot what people write, for large bots and for small ones."""

_TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)


class Permission(IntFlag):
    """Discord's permission bits, those the bot asks for."""

    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


_SEE: Final = Permission.VIEW_CHANNEL
_SPEAK: Final = _SEE | Permission.SEND_MESSAGES | Permission.SEND_MESSAGES_IN_THREADS

NEEDED: Final[Mapping[tuple[str, str], Permission]] = {
    ("GET", "/channels/{}"): _SEE,
    ("GET", "/channels/{}/messages"): _SEE | Permission.READ_MESSAGE_HISTORY,
    ("GET", "/guilds/{}/members/{}"): Permission(0),
    ("PATCH", "/channels/{}"): _SEE | Permission.MANAGE_THREADS,
    ("PATCH", "/channels/{}/messages/{}"): _SEE,
    ("POST", "/channels/{}/messages"): _SPEAK | Permission.EMBED_LINKS | Permission.ATTACH_FILES,
    ("POST", "/channels/{}/messages/{}/threads"): _SEE
    | Permission.READ_MESSAGE_HISTORY
    | Permission.CREATE_PUBLIC_THREADS,
    ("POST", "/channels/{}/typing"): _SPEAK,
    ("PUT", "/channels/{}/messages/{}/reactions/{}/@me"): _SEE
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS,
}
"""What each call in a channel takes. Threads are named anew also where people opened them, which takes managing them."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot's account and its application; ``sessions_left`` of ``sessions`` may still be started today."""

    id: str
    username: str
    application_id: str
    public_key: str
    reads_messages: bool
    sessions_left: int
    sessions: int
    shards: int
    endpoint: str

    @property
    def invitation(self) -> str:
        """Where somebody who manages a server lets the bot in."""
        query = {
            "client_id": self.application_id,
            "permissions": int(permissions()),
            "scope": "bot applications.commands",
        }
        return f"https://discord.com/oauth2/authorize?{urlencode(query)}"

    @property
    def settings(self) -> dict[str, str]:
        """What a deployment has to know of it."""
        return {"discord_bot_id": self.id, "discord_public_key": self.public_key, "bot_username": self.username}

    @property
    def portal(self) -> str:
        """Where its owner sets what no token can."""
        return f"{_PORTAL}/{self.application_id}/bot"


def permissions() -> Permission:
    """All that the bot needs in a server."""
    whole = Permission(0)
    for needed in NEEDED.values():
        whole |= needed
    return whole


def clean(token: str) -> str:
    """A token as people paste it, without what does not belong to it; InvalidSettings if it cannot be one."""
    token = token.strip().strip("\"'").removeprefix("Bot ").strip()
    if not _TOKEN.fullmatch(token):
        raise InvalidSettings(
            "this is no bot token: it has three parts with dots between them. It is neither the client secret nor the"
            f" public key; get it under Bot → Reset Token at {_PORTAL}"
        )
    return token


@contextmanager
def connection(api_url: str, token: str) -> Iterator[RestClient]:
    """Discord's API with a bot's token; what Discord refuses becomes InvalidSettings with the remedy."""
    with closing(httpx.Client(timeout=_TIMEOUT)) as http:
        try:
            yield RestClient(http, api_url=api_url, token=lambda: token)
        except DiscordUnavailable as error:
            raise InvalidSettings(f"Discord cannot be asked now ({error}): try again") from error
        except DiscordRefused as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise InvalidSettings(
                    f"Discord does not accept the bot's token: make a new one under Bot → Reset Token at {_PORTAL}"
                    " and give it to `discord-agent init`"
                ) from error
            raise


def ask(client: RestClient) -> Bot:
    """What Discord knows of the bot that a client's token belongs to."""
    user = _object(client, "/users/@me")
    application = _object(client, "/applications/@me")
    gateway = _object(client, "/gateway/bot")
    limit = gateway.get("session_start_limit") or {}
    return Bot(
        id=str(user["id"]),
        username=str(user["username"]),
        application_id=str(application["id"]),
        public_key=str(application["verify_key"]),
        reads_messages=bool(int(application.get("flags") or 0) & _READS_MESSAGES),
        sessions_left=int(limit.get("remaining", 0)),
        sessions=int(limit.get("total", 0)),
        shards=int(gateway.get("shards", 1)),
        endpoint=str(application.get("interactions_endpoint_url") or ""),
    )


def set_endpoint(client: RestClient, url: str | None) -> None:
    """Have interactions sent to ``url`` from now on; Discord tries it at once, and InvalidSettings says if it failed."""
    try:
        client.request(Call("PATCH", "/applications/@me", payload={"interactions_endpoint_url": url}))
    except DiscordRefused as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        raise InvalidSettings(
            f"Discord tried {url} and got no right answer: see `discord-agent doctor`, and the logs of the function"
            " interactions; its DISCORD_PUBLIC_KEY must be this bot's"
        ) from error


def _object(client: RestClient, path: str) -> Mapping[str, Any]:
    answer = client.request(Call("GET", path))
    if not isinstance(answer, dict):
        raise DiscordUnavailable(f"the answer to GET {path} is no object")
    return answer
