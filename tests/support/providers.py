"""A stand-in for a provider's own API, which answers everything with one body and keeps what it was sent."""

import binascii
import json
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Provider:
    """Where it listens, and the requests it got: path, headers by lower-case name, body."""

    url: str = ""
    requests: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, its type and the status it comes with."""

    content: bytes
    content_type: str = "application/json"
    status: int = 200


def whole(body: Mapping[str, Any], *, status: int = 200) -> Answer:
    """An answer in one piece."""
    return Answer(json.dumps(body).encode(), status=status)


def server_sent(*events: Mapping[str, Any]) -> Answer:
    """A stream as Anthropic sends it."""
    lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return Answer("".join(lines).encode(), "text/event-stream")


def aws_events(*events: tuple[str, Mapping[str, Any]]) -> Answer:
    """A stream as AWS sends it: frames of headers and payload with checksums."""
    return Answer(b"".join(_frame(*event) for event in events), "application/vnd.amazon.eventstream")


def _frame(kind: str, payload: Mapping[str, Any]) -> bytes:
    told = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(_header(name, value) for name, value in told.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 12 + len(headers) + len(body) + 4, len(headers))
    message = prelude + struct.pack("!I", binascii.crc32(prelude)) + headers + body
    return message + struct.pack("!I", binascii.crc32(message))


def _header(name: str, value: str) -> bytes:
    text_type = 7
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", text_type, len(value)) + value.encode()


@contextmanager
def provider(answer: Answer) -> Iterator[Provider]:
    """Serve on the loopback interface."""
    it = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            it.requests.append((self.path, headers, body))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Tests need no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, name="provider", daemon=True)
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
