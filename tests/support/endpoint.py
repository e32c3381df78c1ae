"""An application's HTTP endpoint on a free port, which answers as a test says and remembers what it was asked."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

type Respond = Callable[[dict[str, Any], Mapping[str, str], bytes], tuple[int, Any]]


@dataclass(slots=True)
class Endpoint:
    """Its address, and the bodies it was sent."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def endpoint(respond: Respond) -> Iterator[Endpoint]:
    """Serve ``respond(body, headers, raw)`` → status and JSON (None: no body)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            body = json.loads(raw)
            described.received.append(body)
            status, answer = respond(body, dict(self.headers), raw)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    described = Endpoint(f"http://127.0.0.1:{server.server_port}/interactions")
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield described
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
