"""Wake-ups on a standard queue, whose delay is the debounce."""

import json
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from discord_agent.adapters.aws import outages
from discord_agent.domain.ids import MessageId, ThreadId, UserId

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST: Final = timedelta(minutes=15)
"""The longest delay that SQS knows."""


class SqsWakeups(Struct, frozen=True):
    """Sends wake-ups to ``classify`` as JSON: ``thread_id``, ``author_id``, ``message_id``."""

    client: "SQSClient"
    queue_url: str

    def schedule(self, thread: ThreadId, author: UserId, message: MessageId, delay: timedelta) -> None:
        """Wake ``classify`` after ``delay``, rounded up to whole seconds and at most 15 minutes."""
        body = {"thread_id": thread, "author_id": author, "message_id": message}
        with outages("SQS"):
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=json.dumps(body),
                DelaySeconds=math.ceil(min(max(delay, timedelta()), LONGEST).total_seconds()),
            )
