"""A bot's view of the Discord-compatible server: a REST client and a gateway client that hide nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from devstack.discord.rules import Rules, relaxed
from devstack.discord.seed import Bot
from devstack.discord.server import DiscordServer

AGENT = "DiscordBot (https://example.org, 1.0)"
INTENTS = 46593
PATIENCE = 5.0

type Json = dict[str, Any]


@contextmanager
def running(rules: Rules | None = None, *, bot: Bot | None = None, **options: Any) -> Iterator[DiscordServer]:
    """A server in memory on a free port, without rate limits unless ``rules`` says otherwise."""
    server = DiscordServer(data=options.pop("data", None), port=0, rules=rules or relaxed(), bot=bot, **options)
    with server:
        yield server


@contextmanager
def rest(server: DiscordServer) -> Iterator[httpx.Client]:
    """A client with the bot's token."""
    headers = {"Authorization": f"Bot {server.token}", "User-Agent": AGENT}
    with httpx.Client(base_url=server.api_url, headers=headers, timeout=PATIENCE) as client:
        yield client


class GatewayClient:
    """One connection; every frame is at hand as it came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sequence: int | None = None
        self.hello = self.receive()

    def receive(self) -> Json:
        """The next frame; remembers the sequence number."""
        frame: Json = json.loads(self.socket.recv(PATIENCE))
        self.sequence = frame.get("s") or self.sequence
        return frame

    def send(self, op: int, data: Any) -> None:
        """Send a frame."""
        self.socket.send(json.dumps({"op": op, "d": data}))

    def identify(self, token: str, intents: int = INTENTS, **fields: Any) -> Json:
        """Identify and return the answer."""
        self.send(2, {"token": token, "intents": intents, "properties": {"os": "linux"}, **fields})
        return self.receive()

    def resume(self, token: str, session: str, sequence: int | None) -> None:
        """Ask for the missed events."""
        self.send(6, {"token": token, "session_id": session, "seq": sequence})

    def until(self, name: str) -> Json:
        """The data of the next dispatch with a name; others are skipped."""
        while True:
            frame = self.receive()
            if frame["t"] == name:
                data: Json = frame["d"]
                return data

    def close_code(self) -> int | None:
        """Wait for the server to close, and say with which code."""
        with suppress(ConnectionClosed):
            while True:
                self.socket.recv(PATIENCE)
        return self.socket.close_code


@contextmanager
def gateway(server: DiscordServer, query: str = "?v=10&encoding=json") -> Iterator[GatewayClient]:
    """A fresh connection to the gateway; it leaves with a code that keeps the session."""
    url = f"ws://127.0.0.1:{server.port}/gateway{query}"
    with connect(url, open_timeout=PATIENCE, close_timeout=PATIENCE) as socket:
        client = GatewayClient(socket)
        yield client
        socket.close(4900)
