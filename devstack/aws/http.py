"""A small HTTP/1.1 service on the loopback interface: one thread per connection, no polling."""

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Final

from devstack.aws.errors import PortInUse
from devstack.callers import REFUSAL, is_program_here

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 256
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received; header names are case-insensitive through ``header``."""

    method: str
    path: str
    headers: Message
    body: bytes

    def header(self, name: str) -> str | None:
        """The header's value, or None."""
        return self.headers.get(name)


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


type Responder = Callable[[Request], Response]


def listen(port: int = 0) -> socket.socket:
    """A listening socket on the loopback interface; port 0 takes any free one; PortInUse names the remedy."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Its connections inherit it. asyncio leaves Nagle's algorithm on for sockets it did not make: 40 ms per answer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortInUse(
            f"port {port} on {LOOPBACK} is taken: stop what listens there, or choose another port (0 picks a free one)"
        ) from error
    return listener


class HttpService:
    """Holds its port from construction on, and answers requests from ``start`` to ``stop``."""

    def __init__(self, *, port: int = 0, name: str = "http") -> None:
        self._listener = listen(port)
        self._name = name
        self._stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """The service's base URL."""
        return f"http://{self.address}"

    def start(self, respond: Responder) -> None:
        """Answer with ``respond`` from now on."""
        threading.Thread(target=self._accept, args=(respond,), name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._stopping.set()
        # accept() does not notice a close from another thread everywhere; a connection wakes it.
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, respond: Responder) -> None:
        while not self._stopping.is_set():
            try:
                connection, client = self._listener.accept()
            except OSError:
                return
            if self._stopping.is_set():
                connection.close()
                return
            threading.Thread(
                target=self._serve, args=(respond, connection, client), name=f"{self._name}-connection", daemon=True
            ).start()

    def _serve(self, respond: Responder, connection: socket.socket, client: tuple[str, int]) -> None:
        with self._lock:
            self._connections.add(connection)
        try:
            # A client that goes away in mid-request is its own business.
            with contextlib.suppress(ConnectionError):
                _handler(respond)(connection, client, self)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()


def _answered(respond: Responder, request: Request) -> Response:
    if not is_program_here({name.lower(): value for name, value in request.headers.items()}):
        return Response(403, REFUSAL, {"Content-Type": "text/plain"})
    try:
        return respond(request)
    except Exception as error:  # noqa: BLE001 (the one who asked is told that we failed; the others are served on)
        _LOG.exception("%s %s failed", request.method, request.path)
        body = json.dumps({"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"})
        return Response(500, body.encode(), {"Content-Type": "application/json", "x-amzn-ErrorType": "InternalFailure"})


def _handler(respond: Responder) -> Callable[[socket.socket, tuple[str, int], object], object]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            response = _answered(respond, Request(self.command, self.path, self.headers, self._body()))
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)
            self.wfile.flush()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                return self._chunks()
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _chunks(self) -> bytes:
            body = bytearray()
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Silence: the services keep their own logs."""

    return Handler  # type: ignore[return-value] # a class whose construction serves the connection
