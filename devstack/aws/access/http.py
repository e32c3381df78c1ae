"""The front door of the services that this process offers over HTTP."""

from collections.abc import Callable, Mapping
from copy import replace
from typing import Any

from deployment.iam.operations import UnmappedOperation
from devstack.aws.access.door import DENIED, Door, Refused
from devstack.aws.access.refusals import answer
from devstack.aws.access.wire import Sent, call_of, signature
from devstack.aws.http import Request, Response

type Known = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def enter(door: Door, request: Request, *, known: Known = lambda _: {}) -> None:
    """Let a request in or raise Refused; ``known`` adds to its parameters what the service knows besides."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    signed = signature(headers, request.path)
    if signed is None:
        raise Refused(DENIED, "requests have to be signed: this one names no access key")
    caller = door.caller(signed.key_id)
    if caller is None:
        return
    try:
        call = call_of(signed.service, Sent(request.method, request.path, headers, request.body))
    except UnmappedOperation as error:
        raise Refused(DENIED, str(error)) from error
    door.admit(caller, replace(call, parameters={**call.parameters, **known(call.parameters)}))


def refused(service: str, refusal: Refused) -> Response:
    """The answer to whom the door keeps out."""
    told = answer(service, refusal)
    return Response(told.status, told.body, told.headers)
