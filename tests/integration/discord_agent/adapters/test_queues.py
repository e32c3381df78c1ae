import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from discord_agent.adapters.events import SqsEvents
from discord_agent.adapters.wakeups import SqsWakeups
from discord_agent.domain.errors import StateUnavailable
from discord_agent.domain.events import TURN_COMPLETED, AgenticEvent
from discord_agent.domain.ids import MessageId, ThreadId, UserId
from discord_agent.domain.redaction import MARK, Redactor
from discord_agent.domain.run import TurnStatus
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

EVENT = AgenticEvent(TURN_COMPLETED, ThreadId("2"), {"turn": 1, "confidence": 83, "status": TurnStatus.CONTINUE})


@dataclass(frozen=True)
class _Queue:
    client: "SQSClient"
    url: str

    def messages(self) -> list[Any]:
        answer = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        )
        return list(answer.get("Messages", []))


@pytest.fixture
def queue() -> Iterator[_Queue]:
    with mock_aws():
        client = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t")
        yield _Queue(client, client.create_queue(QueueName="under-test")["QueueUrl"])


def _events(queue: _Queue, url: str) -> SqsEvents:
    return SqsEvents(queue.client, url, ManualClock(), Redactor(frozenset({"correct horse"})), lambda: "id-1")


def test_an_event_carries_id_time_version_and_its_own_fields(queue: _Queue) -> None:
    _events(queue, queue.url).emit(EVENT)
    [message] = queue.messages()
    assert json.loads(message["Body"]) == {
        "id": "id-1",
        "time": "2026-11-22T12:00:00.000000Z",
        "version": 1,
        "type": "turn_completed",
        "threadId": "2",
        "turn": 1,
        "confidence": 83,
        "status": "continue",
    }
    assert {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} == {
        "eventType": "turn_completed",
        "threadId": "2",
    }


def test_two_events_have_two_ids(queue: _Queue) -> None:
    events = SqsEvents(queue.client, queue.url, ManualClock(), Redactor())
    events.emit(EVENT)
    events.emit(EVENT)
    assert len({json.loads(message["Body"])["id"] for message in queue.messages()}) == 2


def test_an_event_has_no_secrets_and_its_details_cannot_forge_its_head(queue: _Queue) -> None:
    details = {"reason": "said correct horse", "type": "forged", "threadId": "3", "id": "forged"}
    _events(queue, queue.url).emit(AgenticEvent(TURN_COMPLETED, ThreadId("2"), details))
    [message] = queue.messages()
    body = json.loads(message["Body"])
    assert (body["reason"], body["type"], body["threadId"], body["id"]) == (
        f"said {MARK}",
        "turn_completed",
        "2",
        "id-1",
    )


def test_without_a_queue_events_are_off(queue: _Queue) -> None:
    _events(queue, "").emit(EVENT)
    assert queue.messages() == []


def test_a_wakeup_names_thread_author_and_message(queue: _Queue) -> None:
    SqsWakeups(queue.client, queue.url).schedule(ThreadId("2"), UserId("11"), MessageId("5"), timedelta())
    [message] = queue.messages()
    assert json.loads(message["Body"]) == {"thread_id": "2", "author_id": "11", "message_id": "5"}


class _Recording:
    """An SQS client that keeps requests, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self._failure = failure

    def send_message(self, **request: Any) -> None:
        self.requests.append(request)
        if self._failure:
            raise self._failure


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (timedelta(seconds=2), 2),
        (timedelta(milliseconds=1200), 2),
        (timedelta(), 0),
        (timedelta(seconds=-3), 0),
        (timedelta(hours=1), 900),
    ],
)
def test_the_delay_is_in_whole_seconds_that_sqs_takes(delay: timedelta, seconds: int) -> None:
    client: Any = _Recording()
    SqsWakeups(client, "url").schedule(ThreadId("2"), UserId("11"), MessageId("5"), delay)
    assert [request["DelaySeconds"] for request in client.requests] == [seconds]


def test_a_queue_that_does_not_answer_is_worth_a_retry() -> None:
    client: Any = _Recording(EndpointConnectionError(endpoint_url="https://sqs"))
    with pytest.raises(StateUnavailable):
        SqsEvents(client, "url", ManualClock(), Redactor()).emit(EVENT)
    with pytest.raises(StateUnavailable):
        SqsWakeups(client, "url").schedule(ThreadId("2"), UserId("11"), MessageId("5"), timedelta())
