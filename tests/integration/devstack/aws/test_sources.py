"""Queues that functions consume, with real visibility timeouts and dead letters."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.aws.declared import Declared
from devstack.aws.stack import LocalAws
from discord_agent.declaration import Queue, Source
from tests.support.eventually import eventually
from tests.support.local_aws import FUNCTIONS, ROOT, function, records, system

QUEUES = {
    "work": Queue("work", dead_letters="work-dead", max_receives=2),
    "work-dead": Queue("work-dead"),
    "ordered": Queue("ordered.fifo", fifo=True, dead_letters="ordered-dead", max_receives=2),
    "ordered-dead": Queue("ordered-dead.fifo", fifo=True),
    "read": Queue("read", dead_letters="mourned", max_receives=1),
    "mourned": Queue("mourned"),
}


@pytest.fixture(scope="module")
def records_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources") / "records"


@pytest.fixture(scope="module")
def aws(records_file: Path) -> Iterator[LocalAws]:
    sources = (Source("work"), Source("ordered"), Source("read", batch_size=1), Source("mourned"))
    consuming = system(function(records_file, sources=sources), queues=QUEUES)
    declared = Declared(consuming, root=ROOT, functions_root=FUNCTIONS, visibility=1)
    with LocalAws(declared, mode="in_process") as stack:
        yield stack


@pytest.fixture
def bodies(records_file: Path) -> Callable[[str], list[Any]]:
    """What the function was given for one test, in order."""
    return lambda test: [entry for entry in records(records_file) if entry.get("body", {}).get("test") == test]


def send(aws: LocalAws, queue: str, **body: Any) -> None:
    url = aws.queue_url(queue)
    fifo = (
        {"MessageGroupId": body.pop("group"), "MessageDeduplicationId": json.dumps(body)}
        if url.endswith(".fifo")
        else {}
    )
    aws.clients.sqs().send_message(QueueUrl=url, MessageBody=json.dumps(body), **fifo)


def dead(aws: LocalAws, queue: str) -> list[Any]:
    answer = aws.clients.sqs().receive_message(QueueUrl=aws.queue_url(queue), WaitTimeSeconds=1, VisibilityTimeout=0)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_message_is_handled_once_and_gone(aws: LocalAws, bodies: Callable[[str], list[Any]]) -> None:
    send(aws, "work", test="once")
    eventually(lambda: bodies("once"))

    def left() -> set[str]:
        names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = aws.queue_url("work")
        return set(aws.clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())

    eventually(lambda: left() == {"0"})
    assert [entry["receives"] for entry in bodies("once")] == ["1"]


def test_a_failed_message_comes_back_and_then_dies_alone(aws: LocalAws, bodies: Callable[[str], list[Any]]) -> None:
    send(aws, "work", test="partial", fail=True)
    send(aws, "work", test="partial")
    eventually(lambda: dead(aws, "work-dead"), seconds=15)
    received = Counter((entry["body"].get("fail", False), entry["receives"]) for entry in bodies("partial"))
    assert received == {(True, "1"): 1, (True, "2"): 1, (False, "1"): 1}
    assert dead(aws, "work-dead") == [{"test": "partial", "fail": True}]


def test_a_poison_message_reaches_the_consumer_of_the_dead_letters(
    aws: LocalAws, bodies: Callable[[str], list[Any]]
) -> None:
    send(aws, "read", test="poison", crash=True)
    # The dead letter crashes its consumer too: it was received there when it is found in flight.
    url = aws.queue_url("mourned")

    def arrived() -> bool:
        attributes = aws.clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return attributes["ApproximateNumberOfMessagesNotVisible"] == "1"

    eventually(arrived, seconds=15)
    aws.clients.sqs().purge_queue(QueueUrl=url)


def test_a_group_keeps_its_order_and_waits_for_its_failed_message(
    aws: LocalAws, bodies: Callable[[str], list[Any]]
) -> None:
    for number in range(4):
        send(aws, "ordered", test="order", group="a", n=number)
    eventually(lambda: len(bodies("order")) == 4)
    assert [entry["body"]["n"] for entry in bodies("order")] == [0, 1, 2, 3]


def test_another_group_is_not_held_back(aws: LocalAws, bodies: Callable[[str], list[Any]]) -> None:
    send(aws, "ordered", test="blocked", group="b", fail=True)
    eventually(lambda: bodies("blocked"))
    send(aws, "ordered", test="free", group="c")
    eventually(lambda: bodies("free"))
    assert len(bodies("blocked")) == 1
    eventually(lambda: dead(aws, "ordered-dead"), seconds=15)
