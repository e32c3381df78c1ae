"""What a batch's answer says about its messages."""

import json

import pytest

from devstack.aws.functions.model import Invocation
from devstack.aws.sources import failed_messages

BATCH = {"a", "b"}


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, BATCH),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, BATCH),
        ({"batchItemFailures": [{}]}, BATCH),
        ({"batchItemFailures": "b"}, BATCH),
    ],
)
def test_a_report_that_cannot_be_read_fails_the_whole_batch(answer: object, failed: set[str]) -> None:
    assert failed_messages(Invocation(json.dumps(answer).encode()), BATCH) == failed


def test_a_failed_call_fails_the_whole_batch() -> None:
    assert failed_messages(Invocation(b'{"errorType": "Own"}', error="Unhandled"), BATCH) == BATCH
