"""Composition of the interactions endpoint, apart from ``bootstrap``: three seconds include its cold start."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.session import Session

from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.discord.signature import SignatureCheck
from discord_agent.adapters.inbound_queue import SqsInboundQueue
from discord_agent.domain.errors import InvalidEvent
from discord_agent.settings import InteractionsSettings, environment
from discord_agent.steps.interactions import HttpRequest, HttpResponse, Interactions

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_QUICK = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 2, "mode": "standard"})


def compose(environ: Mapping[str, str]) -> Interactions:
    """The endpoint with its real adapters."""
    settings = InteractionsSettings.read(environ)
    # boto3 would load its transfer manager for S3 too, a third of its start.
    sqs = cast("SQSClient", Session().create_client("sqs", config=_QUICK))
    queue = SqsInboundQueue(sqs, settings.queue_url)
    return Interactions(SignatureCheck(settings.public_key), queue, SystemClock())


def interactions() -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    """A handler that answers events of an HTTP API (payload 2.0) or a function URL; composed on its first use."""
    composed = lru_cache(maxsize=1)(lambda: compose(environment()))
    return lambda event, _context: write_response(composed()(read_request(event)))


def read_request(event: Mapping[str, Any]) -> HttpRequest:
    """The HTTP request inside a Lambda event; InvalidEvent when there is none."""
    headers, body = event.get("headers"), event.get("body") or ""
    if not isinstance(headers, Mapping) or not isinstance(body, str):
        raise InvalidEvent("an event of an HTTP API needs headers and a text body")
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidEvent("the body is not what isBase64Encoded says") from error
    return HttpRequest({str(name): str(value) for name, value in headers.items()}, raw)


def write_response(response: HttpResponse) -> dict[str, Any]:
    """The response as an HTTP API or a function URL expects it."""
    return {
        "statusCode": response.status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(response.body),
        "isBase64Encoded": False,
    }
