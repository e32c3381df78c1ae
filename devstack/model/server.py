"""A scripted model behind OpenAI's chat-completions API, on the loopback interface."""

import asyncio
import hashlib
import hmac
import json
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.aws.http import listen
from devstack.model import wire
from devstack.model.log import CallLog, LoggedCall
from devstack.model.playback import GARBAGE, Playback
from devstack.model.player import Line, choose, usage_of
from devstack.model.request import ChatRequest, Json, parse_request
from devstack.model.script import Fault, FaultKind, Script
from discord_agent.domain.errors import InvalidInput

_START_LIMIT: Final = 10.0
_TOO_LONG: Final = "This model's maximum context length is 1000 tokens. Your messages resulted in more."
_KINDS: Final = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class ModelServer:
    """Plays ``script`` for callers that bring ``key``; every request is logged to ``log_path`` and kept in ``calls``."""

    def __init__(
        self,
        script: Script,
        *,
        key: str,
        port: int = 0,
        models: Sequence[str] = ("scripted-demo",),
        log_path: Path | None = None,
    ) -> None:
        self._script = script
        self._key = key
        self._models = tuple(models)
        self._log = CallLog(log_path)
        self._faults: Counter[str] = Counter()
        self._arrivals = 0
        self._listener = listen(port)
        self.port: int = self._listener.getsockname()[1]
        config = uvicorn.Config(self._app(), log_config=None, log_level="critical", lifespan="off", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="model-server", daemon=True)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        """The base URL, to be used as LITELLM_BASE_URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> tuple[LoggedCall, ...]:
        """The calls so far, oldest first."""
        return self._log.calls

    @property
    def arrivals(self) -> int:
        """How many valid requests came in, unanswered ones included."""
        return self._arrivals

    def start(self) -> None:
        """Serve from now on, in a thread of its own."""
        logging.getLogger("uvicorn.error").addFilter(_is_no_scripted_drop)
        self._thread.start()
        if not self._ready.wait(_START_LIMIT):
            raise RuntimeError("the scripted model did not start")

    def stop(self) -> None:
        """End every call, hanging ones too, and close the port."""
        if self._loop and self._thread.is_alive():
            self._server.should_exit = True
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_START_LIMIT)
        self._listener.close()
        logging.getLogger("uvicorn.error").removeFilter(_is_no_scripted_drop)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._server.serve(sockets=[self._listener])

    def _app(self) -> Starlette:
        routes = [
            Route(prefix + path, endpoint, methods=[method])
            for prefix in ("/v1", "")
            for path, endpoint, method in (
                ("/chat/completions", self._chat, "POST"),
                ("/models", self._list_models, "GET"),
            )
        ]
        return Starlette(routes=routes)

    async def _list_models(self, request: Request) -> Response:
        if not self._authorised(request):
            return _refusal(401, "the key is not valid")
        data = [{"id": model, "object": "model", "created": 0, "owned_by": "devstack"} for model in self._models]
        return JSONResponse({"object": "list", "data": data})

    async def _chat(self, request: Request) -> Response:
        if not self._authorised(request):
            return _refusal(401, "the key is not valid")
        try:
            chat = parse_request(json.loads(await request.body()))
        except (InvalidInput, ValueError) as error:
            return _refusal(400, str(error))
        self._arrivals += 1
        conversation = _digest(chat)
        line = choose(self._script, chat)
        return self._answer(chat, line, self._next_fault(f"{chat.model} {conversation}", line), conversation)

    def _answer(self, chat: ChatRequest, line: Line, fault: Fault | None, conversation: str) -> Response:
        def log(reply: Json | None, usage: Json | None, *, delivered: bool) -> None:
            self._log.add(
                LoggedCall(
                    at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                    purpose=chat.purpose,
                    position=line.position,
                    conversation=conversation,
                    model=chat.model,
                    stream=chat.stream,
                    scripted=line.scripted,
                    fault=fault.kind if fault else None,
                    delivered=delivered,
                    usage=usage,
                    messages=chat.messages,
                    tools=tuple(tool["function"]["name"] for tool in chat.tools),
                    reply=reply,
                )
            )

        if fault and fault.http is not None:
            log(None, None, delivered=True)
            headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            return _refusal(fault.http, f"scripted fault: HTTP {fault.http}", headers)
        media_type = "text/event-stream" if chat.stream else "application/json"
        if fault and fault.kind is FaultKind.CONTEXT:
            log(None, None, delivered=True)
            return _refusal(400, _TOO_LONG, code="context_length_exceeded")
        if fault and fault.kind is FaultKind.GARBAGE:
            log(None, None, delivered=True)
            return Response(GARBAGE, media_type=media_type)
        if line.message is None:
            parts: tuple[bytes, ...] = ()
            usage = None
        else:
            usage = usage_of(chat, line.message, line.usage)
            parts = _parts(chat, line, line.message, usage, f"chatcmpl-{conversation[:16]}")
        if fault and fault.kind is FaultKind.TRUNCATED:
            log(None, None, delivered=True)
            return Response(b"".join(parts[: len(parts) // 2]), media_type=media_type)

        def report(delivered: bool) -> None:  # noqa: FBT001 (a callback of one argument)
            log(line.message if delivered else None, usage if delivered else None, delivered=delivered)

        return Playback(parts, media_type=media_type, fault=fault, stopping=self._stopping, report=report)

    def _authorised(self, request: Request) -> bool:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(key.encode(), self._key.encode())

    def _next_fault(self, asked: str, line: Line) -> Fault | None:
        """The fault of this attempt; the attempts are counted per request, and a line without a message never recovers."""
        if not line.faults:
            return None
        attempt = self._faults[asked]
        self._faults[asked] += 1
        planned = [fault for fault in line.faults for _ in range(fault.times)]
        if attempt < len(planned):
            return planned[attempt]
        return planned[-1] if line.message is None else None


def _is_no_scripted_drop(record: logging.LogRecord) -> bool:
    """Uvicorn reports an answer that breaks off as an error of ours; here it is the script's."""
    return "without completing response" not in record.getMessage()


def _digest(chat: ChatRequest) -> str:
    return hashlib.sha256(json.dumps([chat.purpose, chat.messages], sort_keys=True).encode()).hexdigest()


def _parts(chat: ChatRequest, line: Line, message: Json, usage: Json, reply_id: str) -> tuple[bytes, ...]:
    reason = line.finish_reason or wire.finish_reason_of(message)
    if chat.stream:
        return tuple(wire.chunks(chat, message, reply_id=reply_id, finish_reason=reason, usage=usage))
    whole = wire.completion(chat, message, reply_id=reply_id, finish_reason=reason, usage=usage)
    body = json.dumps(whole).encode()
    return body[: len(body) // 2], body[len(body) // 2 :]


def _refusal(
    status: int, message: str, headers: dict[str, str] | None = None, *, code: str | None = None
) -> JSONResponse:
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    return JSONResponse(wire.error(message, kind=kind, code=code), status, headers)
