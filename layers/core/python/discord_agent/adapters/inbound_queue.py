"""The queue of events from Discord on SQS FIFO."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from discord_agent.domain.errors import StateUnavailable
from discord_agent.envelope import Envelope, deduplication_id, group_id

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsInboundQueue:
    """Sends one event per request: a batch could succeed in part and lose the order inside a group."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        """Queue an event; SQS drops it if it took the same one within five minutes."""
        body = envelope.write()
        try:
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=body,
                MessageGroupId=group_id(envelope.event, envelope.data),
                MessageDeduplicationId=deduplication_id(envelope.event, envelope.data, occurrence=occurrence),
            )
        except (BotoCoreError, ClientError) as error:
            raise StateUnavailable(f"{envelope.event:.40} was not queued: {type(error).__name__}") from error
