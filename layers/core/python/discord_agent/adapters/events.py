"""Agentic events on SQS, for other systems."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from msgspec import Struct

from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import timestamp, to_json
from discord_agent.domain.events import SCHEMA_VERSION, AgenticEvent
from discord_agent.domain.redaction import Redactor
from discord_agent.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def _new_id() -> str:
    return str(uuid4())


def body_of(event: AgenticEvent, *, id: str, at: datetime, redactor: Redactor) -> dict[str, Any]:  # noqa: A002 - its name
    """The event as others read it (docs/EVENTS.md): what every event has, which its details cannot replace, and those."""
    return {
        **redactor.data(to_json(event.details)),
        "id": id,
        "time": timestamp(at),
        "version": SCHEMA_VERSION,
        "type": event.type,
        "threadId": event.thread_id,
    }


class SqsEvents(Struct, frozen=True):
    """Sends each event as one message, without secrets; without a queue URL events are off.

    ``eventType`` and ``threadId`` are message attributes too.
    """

    client: "SQSClient"
    queue_url: str
    clock: Clock
    redactor: Redactor
    new_id: Callable[[], str] = _new_id

    def emit(self, event: AgenticEvent) -> None:
        """Send an event; StateUnavailable when SQS does not take it."""
        if not self.queue_url:
            return
        body = body_of(event, id=self.new_id(), at=self.clock.now(), redactor=self.redactor)
        with outages("SQS"):
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=json.dumps(body),
                MessageAttributes={
                    "eventType": {"DataType": "String", "StringValue": event.type},
                    "threadId": {"DataType": "String", "StringValue": event.thread_id},
                },
            )
