"""Sending an answer, or the way it goes wrong, over HTTP."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from devstack.model.script import Fault, FaultKind

GARBAGE: Final = b'<html><body>502 Bad gateway</body></html>\n\ndata: {"choices": [{"delta": \n\n'


class Playback(Response):
    """Sends ``parts``; halfway it obeys ``fault``, and reports at the end whether the caller stayed."""

    def __init__(
        self,
        parts: Sequence[bytes],
        *,
        media_type: str,
        fault: Fault | None,
        stopping: asyncio.Event,
        report: Callable[[bool], None],
    ) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._parts = tuple(parts)
        self._fault = fault
        self._stopping = stopping
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI's signature)
        """Send the answer; one that is dropped ends without its last chunk, so the connection is closed on the caller."""
        kind = self._fault.kind if self._fault else None
        if kind is FaultKind.HANG:
            await left(receive, self._stopping, None)
            self._report(False)  # noqa: FBT003 (a callback of one argument)
            return
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        middle = max(1, len(self._parts) // 2)
        await _send_parts(send, self._parts[:middle])
        gone = False
        if self._fault and self._fault.stall is not None:
            gone = await left(receive, self._stopping, self._fault.stall)
        if gone or kind is FaultKind.DROP:
            self._report(False)  # noqa: FBT003 (a callback of one argument)
            return
        await _send_parts(send, self._parts[middle:])
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self._report(True)  # noqa: FBT003 (a callback of one argument)


async def left(receive: Receive, stopping: asyncio.Event, seconds: float | None) -> bool:
    """Wait for ``seconds`` (None: without end); True as soon as the caller is gone or the server stops."""
    waits = [asyncio.ensure_future(_disconnected(receive)), asyncio.ensure_future(stopping.wait())]
    try:
        done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for wait in waits:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_parts(send: Send, parts: Sequence[bytes]) -> None:
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
