"""The Lambda entry in a process of its own: settings from the environment, a real queue, signed samples."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from devstack.samples_signed import sign_sample
from tests.support.bridges import InboundQueueUnderTest
from tests.support.data_plane import data_plane

ROOT = Path(__file__).parents[4]
KEY = SigningKey(bytes(range(32)))
RUN = "import json,sys; from functions.interactions.handler import handler; print(json.dumps(handler(json.load(sys.stdin), None)))"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with data_plane() as endpoint:
        yield endpoint


def invoke(queue: InboundQueueUnderTest, sample: str, *, queue_url: str | None = None) -> dict[str, Any]:
    event = json.loads((ROOT / "events" / "interactions" / f"{sample}.json").read_text(encoding="utf-8"))
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": f"{ROOT / 'layers' / 'core' / 'python'}:{ROOT}",
        "AWS_ENDPOINT_URL": queue.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "DISCORD_PUBLIC_KEY": KEY.verify_key.encode().hex(),
        "DISCORD_MESSAGES_QUEUE_URL": queue_url or queue.url,
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(sign_sample(event, KEY, datetime.now(UTC))),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return {"status": answer["statusCode"], "body": json.loads(answer["body"])}


@pytest.mark.parametrize(
    ("sample", "status", "answer"),
    [
        ("ping", 200, {"type": 1}),
        ("autocomplete", 200, {"type": 8, "data": {"choices": []}}),
        ("bad_signature", 401, {"error": "invalid request signature"}),
    ],
)
def test_what_needs_no_work_is_answered_and_not_queued(
    aws: str, sample: str, status: int, answer: dict[str, Any]
) -> None:
    queue = InboundQueueUnderTest(aws)
    assert invoke(queue, sample) == {"status": status, "body": answer}
    assert queue.take() == []


@pytest.mark.parametrize(
    ("sample", "answer"), [("command", {"type": 5, "data": {"flags": 64}}), ("button", {"type": 6})]
)
def test_a_command_and_a_button_are_deferred_and_queued_once_per_interaction(
    aws: str, sample: str, answer: dict[str, Any]
) -> None:
    queue = InboundQueueUnderTest(aws)
    for _ in range(2):
        assert invoke(queue, sample) == {"status": 200, "body": answer}
    ((envelope, group),) = queue.take()
    assert (envelope.kind, envelope.event, group) == ("interaction", "INTERACTION_CREATE", "1290000000000000010")


def test_without_its_queue_the_person_is_told(aws: str) -> None:
    queue = InboundQueueUnderTest(aws)
    answer = invoke(queue, "command", queue_url=f"{queue.url[:-5]}-gone.fifo")
    assert (answer["status"], answer["body"]["type"]) == (200, 4)
