"""Lambda's Invoke over HTTP, as boto3 speaks it."""

import base64
import json
import uuid
from typing import Final
from urllib.parse import unquote, urlsplit

from devstack.aws.access.door import Door, Refused
from devstack.aws.access.http import enter, refused
from devstack.aws.functions.invoker import Invoker
from devstack.aws.functions.model import InvocationRefused
from devstack.aws.http import Request, Response

_JSON: Final = "application/json"


class InvokeApi:
    """POST /2015-03-31/functions/NAME/invocations, of the types RequestResponse, Event and DryRun, for whom ``door`` lets in."""

    def __init__(self, invoker: Invoker, door: Door) -> None:
        self._invoker = invoker
        self._door = door

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        parts = urlsplit(request.path).path.strip("/").split("/")
        if request.method != "POST" or len(parts) != 4 or (parts[1], parts[3]) != ("functions", "invocations"):
            return _refused("UnknownOperationException", f"only Invoke is served here, not {request.path}", 404)
        try:
            enter(self._door, request)
            return self._invoke(unquote(parts[2]), request)
        except Refused as refusal:
            return refused("lambda", refusal)
        except InvocationRefused as refusal:
            return _refused(refusal.code, str(refusal), refusal.status)

    def _invoke(self, reference: str, request: Request) -> Response:
        kind = request.header("X-Amz-Invocation-Type") or "RequestResponse"
        tenant = request.header("X-Amz-Tenant-Id")
        if kind == "DryRun":
            self._invoker.spec(reference)
            return Response(204, headers=_request_id())
        if kind == "Event":
            self._invoker.invoke_later(reference, request.body, tenant=tenant)
            return Response(202, headers=_request_id())
        invocation = self._invoker.invoke(
            reference, request.body, tenant=tenant, client_context=_context(request.header("X-Amz-Client-Context"))
        )
        headers = {
            "Content-Type": _JSON,
            "X-Amz-Executed-Version": self._invoker.spec(reference).version,
            **_request_id(),
        }
        if invocation.error is not None:
            headers["X-Amz-Function-Error"] = invocation.error
        if request.header("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log.encode()).decode()
        return Response(200, invocation.raw, headers)


def _context(header: str | None) -> str | None:
    return None if header is None else base64.b64decode(header).decode()


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid.uuid4())}


def _refused(code: str, message: str, status: int) -> Response:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return Response(status, body, {"Content-Type": _JSON, "x-amzn-ErrorType": code, **_request_id()})
