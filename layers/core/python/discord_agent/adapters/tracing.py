"""Spans of a trace, told to the X-Ray daemon that Lambda runs beside a function (decision 31).

A span is sent once it is over, as a subsegment document in one UDP datagram; nobody waits for an answer.
"""

import json
import logging
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from msgspec import Struct

from discord_agent.domain.conversation import ModelReply, ModelRequest
from discord_agent.ports import Clock, LanguageModel

type Address = tuple[str, int]

_LOG = logging.getLogger(__name__)
_HEADER: Final = b'{"format": "json", "version": 1}\n'

_open: ContextVar[tuple[str, str] | None] = ContextVar("open_span", default=None)
"""The trace and the id of the span that is under way."""


def _send(daemon: Address, datagram: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(datagram, daemon)


class Trace(Struct, frozen=True):
    """The trace that an invocation belongs to, and the segment that Lambda made for it."""

    daemon: Address
    root: str
    parent: str


class XRayTracer(Struct, frozen=True):
    """Names and annotations are ours, ids and figures; what people or models wrote is no business of traces.

    ``daemon`` is its address as Lambda announces it, ``header`` tells the trace of the invocation that is under way.
    Nothing is sent without a daemon, or for a trace that is not sampled.
    """

    daemon: str
    header: Callable[[], str]
    clock: Clock
    send: Callable[[Address, bytes], object] = _send

    @contextmanager
    def span(self, name: str, **annotations: str | int) -> Iterator[None]:
        """A span around what is done meanwhile; of an error only its type is told."""
        trace = _trace_of(self.daemon, self.header())
        if trace is None:
            yield
            return
        around = _open.get()
        parent = around[1] if around and around[0] == trace.root else trace.parent
        span = {
            "name": name,
            "id": secrets.token_hex(8),
            "trace_id": trace.root,
            "parent_id": parent,
            "type": "subsegment",
            "start_time": self.clock.now().timestamp(),
            "annotations": annotations,
        }
        token = _open.set((trace.root, str(span["id"])))
        try:
            yield
        except BaseException as error:
            span |= {"fault": True, "cause": {"exceptions": [{"id": span["id"], "type": type(error).__name__}]}}
            raise
        finally:
            _open.reset(token)
            self._tell(trace, span | {"end_time": self.clock.now().timestamp()})

    def _tell(self, trace: Trace, span: dict[str, Any]) -> None:
        try:
            self.send(trace.daemon, _HEADER + json.dumps(span).encode())
        except OSError:
            _LOG.warning("a span was not sent", exc_info=True)


class TracedModel(Struct, frozen=True):
    """A language model whose calls are spans."""

    model: LanguageModel
    tracer: XRayTracer

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        """Ask once; see the port."""
        with self.tracer.span("model", model=request.model, purpose=request.purpose):
            return self.model.complete(request, stop_requested=stop_requested, on_text=on_text)


def _trace_of(daemon: str, header: str) -> Trace | None:
    fields = dict(part.split("=", 1) for part in header.split(";") if "=" in part)
    host, _, port = daemon.rpartition(":")
    is_sampled = fields.get("Sampled") == "1" and "Root" in fields and "Parent" in fields
    if not (is_sampled and host and port.isdecimal()):
        return None
    return Trace((host, int(port)), fields["Root"], fields["Parent"])
