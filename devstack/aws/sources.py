"""Event source mappings: queues polled for the functions that consume them, with partial batch failures."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from devstack.aws.functions.invoker import Invoker
from devstack.aws.functions.model import Invocation, InvocationRefused, LogSink
from devstack.aws.names import REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_WAIT_SECONDS: Final = 20
_RECEIVE_LIMIT: Final = 10
_PAUSE_AFTER_FAULT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """A function's subscription to a queue; ``reports_failures``: it says which messages of a batch it could not handle."""

    function: str
    queue_url: str
    queue_arn: str
    batch_size: int
    concurrency: int
    reports_failures: bool = True


class Poller:
    """Long-polls one queue and hands batches to one function, at most ``concurrency`` at a time.

    What the function reports as failed, and every message of a batch whose call failed, stays in the queue: it comes
    back after its visibility timeout and ends in the dead-letter queue. A FIFO queue itself holds back the rest of a
    message group while one of its messages is in flight.
    """

    def __init__(self, mapping: Subscription, sqs: "SQSClient", invoker: Invoker, log: LogSink) -> None:
        self._mapping = mapping
        self._sqs = sqs
        self._invoker = invoker
        self._log = log
        self._stopped = threading.Event()
        self._slots = threading.Semaphore(mapping.concurrency)

    def start(self) -> None:
        """Begin to poll."""
        threading.Thread(target=self._poll, name=f"poller-{self._mapping.function}", daemon=True).start()

    def stop(self) -> None:
        """Take no more messages; the long poll under way ends with the data plane."""
        self._stopped.set()

    def _poll(self) -> None:
        while not self._stopped.is_set():
            self._slots.acquire()
            messages = self._receive()
            if not messages or self._stopped.is_set():
                self._slots.release()
                continue
            threading.Thread(
                target=self._work, args=(messages,), name=f"source-{self._mapping.function}", daemon=True
            ).start()

    def _receive(self) -> Sequence[Mapping[str, Any]]:
        try:
            return self._sqs.receive_message(
                QueueUrl=self._mapping.queue_url,
                MaxNumberOfMessages=min(self._mapping.batch_size, _RECEIVE_LIMIT),
                WaitTimeSeconds=_WAIT_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
        except (BotoCoreError, ClientError) as error:
            if not self._stopped.is_set():
                self._log(self._mapping.function, f"its queue could not be read: {error}")
                self._stopped.wait(_PAUSE_AFTER_FAULT)
            return []

    def _work(self, messages: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._delete(messages, self._failed(messages))
        except (BotoCoreError, ClientError) as error:
            if not self._stopped.is_set():
                self._log(self._mapping.function, f"handled messages could not be deleted: {error}")
        finally:
            self._slots.release()

    def _failed(self, messages: Sequence[Mapping[str, Any]]) -> set[str]:
        everything = {message["MessageId"] for message in messages}
        payload = json.dumps({"Records": [self._record(message) for message in messages]}).encode()
        try:
            invocation = self._invoker.invoke(self._mapping.function, payload)
        except InvocationRefused as refusal:
            self._log(self._mapping.function, f"a batch was refused: {refusal}")
            return everything
        if not self._mapping.reports_failures:
            return everything if invocation.error is not None else set()
        return failed_messages(invocation, everything)

    def _delete(self, messages: Sequence[Mapping[str, Any]], failed: set[str]) -> None:
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            self._sqs.delete_message_batch(
                QueueUrl=self._mapping.queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(done)
                ],
            )

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: {
                    "stringValue": attribute.get("StringValue"),
                    "dataType": attribute["DataType"],
                    "stringListValues": [],
                    "binaryListValues": [],
                }
                for name, attribute in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.queue_arn,
            "awsRegion": REGION,
        }


def failed_messages(invocation: Invocation, everything: set[str]) -> set[str]:
    """The ids that ReportBatchItemFailures names; a failed call, or a report Lambda cannot read, fails the batch."""
    if invocation.error is not None:
        return everything
    payload = invocation.payload
    failures = payload.get("batchItemFailures") if isinstance(payload, dict) else None
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return everything
    ids = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in failures}
    return {str(each) for each in ids} if ids <= everything else everything
