"""The front door of the data plane, as an ASGI application around it."""

from collections.abc import Callable, MutableMapping
from typing import Any, Final

from deployment.iam.operations import UnmappedOperation, may_know_of_absence
from devstack.aws.access.door import DENIED, Caller, Door, Refused
from devstack.aws.access.refusals import answer
from devstack.aws.access.wire import Sent, Signature, call_of, needs_body, signature
from devstack.callers import Application, Receive, Scope, Send

type Message = MutableMapping[str, Any]

_UNSIGNED: Final = ("/_ministack/", "/health", "/_aws/execute-api/")
"""The emulator's own pages, which are no part of AWS, and public APIs, which are called without a signature."""
_NOT_FOUND: Final = 404


def guarded(application: Application, door: Callable[[], Door | None]) -> Application:
    """The application behind the door that is in force at each request; open to all while there is none."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        keeper = door() if scope["type"] == "http" else None
        if keeper is None or scope["path"].startswith(_UNSIGNED):
            await application(scope, receive, send)
            return
        sent = _sent(scope)
        signed = signature(sent.headers, sent.target)
        try:
            caller = _caller(keeper, signed)
            if caller is None or signed is None:
                await application(scope, receive, send)
                return
            if needs_body(signed.service, sent.method, sent.target):
                body = await _body(receive)
                sent, receive = Sent(sent.method, sent.target, sent.headers, body), _again(body, receive)
            call = call_of(signed.service, sent)
            keeper.admit(caller, call)
        except Refused as refusal:
            await _refuse(send, sent, signed, refusal)
            return
        except UnmappedOperation as error:
            await _refuse(send, sent, signed, Refused(DENIED, str(error)))
            return
        if call.operation in {"s3:GetObject", "s3:HeadObject"}:
            send = _Absence(keeper, caller, call.parameters["Bucket"], sent, signed, send)
        await application(scope, receive, send)

    return serve


def _caller(door: Door, signed: Signature | None) -> Caller | None:
    if signed is None:
        raise Refused(DENIED, "requests have to be signed: this one names no access key")
    return door.caller(signed.key_id)


class _Absence:
    """Passes an answer on, but tells only those who may list a bucket that an object is not there."""

    def __init__(self, door: Door, caller: Caller, bucket: str, sent: Sent, signed: Signature, send: Send) -> None:
        self._door = door
        self._caller = caller
        self._access = may_know_of_absence(bucket)
        self._sent = sent
        self._signed = signed
        self._send = send
        self._hidden = False

    async def __call__(self, message: Message) -> None:
        starts = message["type"] == "http.response.start"
        if starts and message["status"] == _NOT_FOUND and not self._door.allows(self._caller, self._access):
            self._hidden = True
            await _refuse(self._send, self._sent, self._signed, Refused(DENIED, "Access Denied"))
        elif not self._hidden:
            await self._send(message)


def _sent(scope: Scope) -> Sent:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope.get("query_string", b"").decode("latin-1")
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    return Sent(scope["method"], f"{path}?{query}" if query else path, headers)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives a body that was read already, and after it what comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, sent: Sent, signed: Signature | None, refusal: Refused) -> None:
    refused = answer(signed.service if signed else "", refusal)
    body = b"" if sent.method == "HEAD" else refused.body
    headers = refused.headers | {"Content-Length": str(len(body))}
    await send(
        {
            "type": "http.response.start",
            "status": refused.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
