"""The server as one object: runs in a thread of its own, keeps its state in a folder, can be asked and disturbed."""

import asyncio
import errno
import secrets
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from devstack.discord.app import Parts, build, routes
from devstack.discord.drafts import UploadedFile, read_draft
from devstack.discord.errors import Json
from devstack.discord.faults import Faults
from devstack.discord.gateway import Gateway
from devstack.discord.records import GUILD_TEXT, Channel, Edit, Interaction, Message, User
from devstack.discord.rest import API_PREFIX, Seen
from devstack.discord.rules import Rules
from devstack.discord.security import only_local
from devstack.discord.seed import GUILD_ID, Bot
from devstack.discord.store import Store
from discord_agent.domain.errors import InvalidSettings

HOST = "127.0.0.1"
_PATIENCE = 10.0

type Pages = Callable[[Parts], Sequence[BaseRoute]]


class DiscordServer:
    """Discord on one machine: REST, gateway, interactions, and whatever ``pages`` adds.

    ``data`` is the folder that keeps everything (None: memory); port 0 takes a free one; ``token`` is made and kept
    when not given.
    """

    def __init__(
        self,
        *,
        data: Path | None,
        port: int,
        bot: Bot | None = None,
        token: str | None = None,
        rules: Rules | None = None,
        pages: Pages | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        bot = bot or Bot()
        self.bot_id = bot.id
        self.guild_id = GUILD_ID
        self._store = Store(data)
        self.token = token or _kept_token(self._store, bot.id)
        self.faults = Faults()
        self._parts = build(
            self._store,
            rules=rules or Rules(),
            now=now,
            url=self.url,
            token=self.token,
            bot=bot,
            faults=self.faults,
        )
        self._pages = pages
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        """The base of the REST API."""
        return self.url + API_PREFIX

    @property
    def public_key(self) -> str:
        """What interactions are verified with, as hex."""
        return self._parts.interactions.public_key

    @property
    def parts(self) -> Parts:
        """What the server is made of."""
        return self._parts

    @property
    def gateway(self) -> Gateway:
        """The gateway's counters; disturb it through the methods of this class."""
        return self._parts.gateway

    def start(self) -> None:
        """Serve from a thread of its own; returns when requests are answered."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> Any:
            self._loop = asyncio.get_running_loop()
            self._started.set()
            yield
            await self._parts.interactions.http.aclose()

        pages = self._pages(self._parts) if self._pages else ()
        app = Starlette(routes=[*routes(self._parts), *pages], lifespan=lifespan)
        config = uvicorn.Config(
            only_local(app),
            ws="websockets-sansio",
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, args=([self._socket],), name="discord", daemon=True)
        self._thread.start()
        if not self._started.wait(_PATIENCE):
            raise RuntimeError("the Discord server did not start")

    def stop(self) -> None:
        """Close all connections and the store."""
        if self._uvicorn is not None and self._thread is not None:
            self._uvicorn.should_exit = True
            self._thread.join(_PATIENCE)
        self._socket.close()
        self._store.close()

    def post(
        self, user_id: str, channel_id: str, content: str = "", files: tuple[UploadedFile, ...] = (), **fields: Any
    ) -> Message:
        """Send a message as a person; ``fields`` are further fields of the API's message body."""
        draft = read_draft({"content": content, **fields}, files)
        return self._call(lambda: self._parts.chat.send(self._user(user_id), channel_id, draft))

    def edit(self, user_id: str, channel_id: str, message_id: str, content: str) -> Message:
        """Edit a person's own message."""
        draft = read_draft({"content": content})
        return self._call(lambda: self._parts.chat.edit(self._user(user_id), channel_id, message_id, draft))

    def delete(self, user_id: str, channel_id: str, message_id: str) -> None:
        """Delete a message as a person."""
        self._call(lambda: self._parts.chat.delete(self._user(user_id), channel_id, message_id))

    def react(self, user_id: str, channel_id: str, message_id: str, emoji: str) -> None:
        """Add a person's reaction."""
        self._call(lambda: self._parts.chat.react(self._user(user_id), channel_id, message_id, emoji))

    def unreact(self, user_id: str, channel_id: str, message_id: str, emoji: str) -> None:
        """Take a person's reaction back."""
        self._call(lambda: self._parts.chat.unreact(self._user(user_id), channel_id, message_id, emoji))

    def delete_thread(self, user_id: str, thread_id: str) -> None:
        """Delete a thread as a person."""
        self._call(lambda: self._parts.channels.delete(self._user(user_id), thread_id))

    def press(self, user_id: str, channel_id: str, message_id: str, custom_id: str) -> Interaction:
        """Press a button as a person; the result says how the application answered, or that it failed."""
        message = self._parts.chat.message(channel_id, message_id)
        press = self._parts.interactions.press
        return self._await(press(self._user(user_id), channel_id, message, custom_id, []))

    def command(self, user_id: str, channel_id: str, name: str, **options: Any) -> Interaction:
        """Send a slash command as a person."""
        return self._await(self._parts.interactions.command(self._user(user_id), channel_id, name, options))

    def set_interactions_endpoint(self, url: str | None) -> None:
        """Post interactions to ``url`` from now on; ApiError if it does not pass Discord's checks."""
        self._await(self._parts.interactions.set_endpoint(url))

    def add_channel(self, name: str, *, deny: Mapping[str, int] | None = None) -> str:
        """Add a channel, with permission bits denied to members by id; returns its id."""
        overwrites = tuple({"id": user, "type": 1, "deny": str(bits)} for user, bits in (deny or {}).items())
        world = self._parts.world
        channel = Channel(world.ids.next(), GUILD_TEXT, GUILD_ID, name, GUILD_ID, overwrites=overwrites)
        world.store.put(channel)
        return channel.id

    def plant_message(self, message_id: str, user_id: str, channel_id: str, content: str) -> None:
        """Have a message of a person in a channel as if it had been there before; nothing is dispatched."""
        author = self._user(user_id)
        self._store.put(Message(message_id, channel_id, author.id, self._parts.world.now(), content=content))

    def messages(self, channel_id: str) -> list[Message]:
        """All messages of a channel, oldest first, without deleted and ephemeral ones."""
        found = self._store.children(Message, channel_id)
        return [message for message in found if not message.deleted and message.visible_to is None]

    def edits(self, message_id: str) -> list[Edit]:
        """A message's edits, oldest first."""
        return self._store.children(Edit, message_id)

    def requests(self) -> list[Seen]:
        """Every answered REST request, oldest first."""
        return list(self._parts.rest.seen)

    def ask_reconnect(self) -> None:
        """Send op 7 to every gateway connection."""
        self._call(self.gateway.ask_reconnect)

    def invalidate_sessions(self, *, resumable: bool) -> None:
        """Send op 9 to every gateway connection."""
        self._call(lambda: self.gateway.invalidate(resumable=resumable))

    def drop_connections(self, code: int = 4000) -> None:
        """Close every gateway connection with a code; sessions can be resumed."""
        self._call(lambda: self.gateway.drop(code))

    def forget_sessions(self) -> None:
        """End all gateway sessions: a resume is answered with op 9."""
        self._call(self.gateway.forget)

    def send_frame(self, frame: str) -> None:
        """Send any text, also malformed, to every gateway connection."""
        self._call(lambda: self.gateway.send_raw(frame))

    def dispatch(self, name: str, data: Json, *, channel_id: str) -> None:
        """Dispatch any event, also unknown or malformed, as if it happened in a channel."""
        channel = self._parts.world.access.channel(channel_id)
        self._call(lambda: self.gateway.dispatch(name, data, channel))

    def acknowledge_heartbeats(self, *, enabled: bool) -> None:
        """Switch the answers to heartbeats on or off."""
        self.gateway.acknowledges = enabled

    def _user(self, user_id: str) -> User:
        return self._parts.world.access.user(user_id)

    def _call[T](self, function: Callable[[], T]) -> T:
        async def run() -> T:
            return function()

        return self._await(run())

    def _await[T](self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the server was not started")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # asyncio does this only for sockets it made itself; without it many an answer takes 40 ms longer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise InvalidSettings(f"port {port} on {HOST} is in use: stop what uses it, or choose another port") from error
    listener.listen()
    return listener


def _kept_token(store: Store, bot_id: str) -> str:
    """A token in Discord's form, made at the first start."""
    kept = store.setting("token")
    if kept is None:
        owner = urlsafe_b64encode(bot_id.encode()).decode().rstrip("=")
        kept = f"{owner}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
        store.set("token", kept)
    return kept
