"""Agentic events on SQS, for other systems."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import timestamp, to_json
from discord_agent.domain.events import SCHEMA_VERSION, AgenticEvent
from discord_agent.domain.redaction import Redactor
from discord_agent.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def _new_id() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class SqsEvents:
    """Sends each event as one message; without a queue URL events are off.

    The body is JSON: ``id``, ``time``, ``version``, ``type`` and ``threadId``, which an event's details cannot
    replace, and the details in camelCase, without secrets. ``eventType`` and ``threadId`` are message attributes too.
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
        body = {
            **self.redactor.data(to_json(event.details)),
            "id": self.new_id(),
            "time": timestamp(self.clock.now()),
            "version": SCHEMA_VERSION,
            "type": event.type,
            "threadId": event.thread_id,
        }
        with outages("SQS"):
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=json.dumps(body),
                MessageAttributes={
                    "eventType": {"DataType": "String", "StringValue": event.type},
                    "threadId": {"DataType": "String", "StringValue": event.thread_id},
                },
            )
