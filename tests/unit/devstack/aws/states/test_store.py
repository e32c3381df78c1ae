"""The executions that are known across restarts."""

from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devstack.aws.states.status_events import event
from devstack.aws.states.store import NAMES_KEPT, ExecutionStore, Record

STARTED = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
RUNNING = Record("arn:x", "arn:machine", "x", "RUNNING", '{"a":1}', None, None, None, STARTED, None)
FAILED = replace(RUNNING, status="FAILED", error="Own", cause="told to", stopped=STARTED + timedelta(seconds=2))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "executions.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[ExecutionStore]:
    opened = ExecutionStore(path)
    yield opened
    opened.close()


def test_a_name_is_taken_once(store: ExecutionStore) -> None:
    assert store.add(RUNNING)
    assert not store.add(replace(RUNNING, input="{}"))
    assert store.find("arn:x") == RUNNING


def test_what_ran_and_what_was_not_reported_is_found_by_the_next_process(store: ExecutionStore, path: Path) -> None:
    ended = replace(FAILED, arn="arn:y", name="y")
    done = replace(ended, arn="arn:z", name="z")
    for record in (RUNNING, replace(RUNNING, arn="arn:y"), replace(RUNNING, arn="arn:z")):
        store.add(record)
    store.end(ended, to_report=True)
    store.end(done, to_report=True)
    store.reported("arn:z")
    reopened = ExecutionStore(path)
    assert {record.arn: record.status for record in reopened.unreported()} == {"arn:x": "RUNNING", "arn:y": "FAILED"}
    reopened.close()


def test_names_are_free_again_after_ninety_days(store: ExecutionStore, path: Path) -> None:
    long_ago = datetime.now(UTC) - NAMES_KEPT - timedelta(days=1)
    store.add(RUNNING)
    store.end(replace(FAILED, stopped=long_ago), to_report=False)
    reopened = ExecutionStore(path)
    assert reopened.find("arn:x") is None
    reopened.close()


def test_the_event_has_eventbridges_shape() -> None:
    told = event(FAILED)
    assert (told["source"], told["detail-type"]) == ("aws.states", "Step Functions Execution Status Change")
    assert (told["resources"], told["time"]) == (["arn:x"], "2026-11-22T12:00:02Z")
    assert told["detail"] == {
        "executionArn": "arn:x",
        "stateMachineArn": "arn:machine",
        "name": "x",
        "status": "FAILED",
        "startDate": 1_795_348_800_250,
        "stopDate": 1_795_348_802_250,
        "input": '{"a":1}',
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": None,
        "error": "Own",
        "cause": "told to",
    }
