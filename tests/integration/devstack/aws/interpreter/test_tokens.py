"""Tasks that wait for their token, seen through Step Functions' API."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.eventually import eventually
from tests.support.local_aws import States, records

PARK = {"do": "park"}
CAUGHT = {"Caught": {"Type": "Pass", "Output": {"caught": "{% $states.input %}"}, "End": True}}


@pytest.fixture
def next_token(shared_records: Path) -> Callable[[], str]:
    """Waits for the next token that the puppet is given."""
    seen = len(records(shared_records))

    def wait() -> str:
        nonlocal seen
        fresh = eventually(lambda: [entry for entry in records(shared_records)[seen:] if "token" in entry])
        seen = len(records(shared_records))
        return str(fresh[0]["token"])

    return wait


def catch(*names: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(names), "Next": "Caught"}]


def test_success_gives_the_tasks_result(states: States, next_token: Callable[[], str]) -> None:
    execution = states.start({"A": states.wait_for_token(PARK)})
    states.client.send_task_success(taskToken=next_token(), output=json.dumps({"answer": 'a "word"'}))
    assert json.loads(states.ended(execution)["output"]) == {"answer": 'a "word"'}


def test_failure_carries_error_and_cause(states: States, next_token: Callable[[], str]) -> None:
    execution = states.start({"A": states.wait_for_token(PARK, Catch=catch("Refused")), **CAUGHT})
    states.client.send_task_failure(taskToken=next_token(), error="Refused", cause="not today")
    assert json.loads(states.ended(execution)["output"]) == {"caught": {"Error": "Refused", "Cause": "not today"}}


def test_an_answer_that_comes_before_the_call_returns_counts(states: States) -> None:
    event = {"do": "answer", "answers": [{"kind": "success", "output": 7}]}
    assert states.output({"A": states.wait_for_token(event)}) == 7


def test_an_answer_before_the_call_returns_counts_with_a_heartbeat_too(states: States) -> None:
    event = {"do": "answer", "answers": [{"kind": "heartbeat"}, {"kind": "success", "output": 7}]}
    assert states.output({"A": states.wait_for_token(event, HeartbeatSeconds=5, TimeoutSeconds=10)}) == 7


def test_a_missed_heartbeat_is_named_so_and_taken_as_a_timeout(states: States) -> None:
    task = {"HeartbeatSeconds": 1, "TimeoutSeconds": 30}
    named = states.run({"A": states.wait_for_token(PARK, **task)})
    assert named["error"] == "States.HeartbeatTimeout"
    taken = {"A": states.wait_for_token(PARK, **task, Catch=catch("States.Timeout")), **CAUGHT}
    assert states.output(taken)["caught"]["Error"] == "States.HeartbeatTimeout"


def test_heartbeats_keep_a_task_alive(states: States) -> None:
    beats = [{"kind": "heartbeat", "then": 0.6}] * 3
    event = {"do": "answer", "answers": [*beats, {"kind": "success", "output": "alive"}]}
    assert states.output({"A": states.wait_for_token(event, HeartbeatSeconds=1, TimeoutSeconds=30)}) == "alive"


def test_a_task_without_an_answer_times_out(states: States) -> None:
    ended = states.run({"A": states.wait_for_token(PARK, TimeoutSeconds=1)})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


def test_every_attempt_has_a_token_of_its_own(states: States, next_token: Callable[[], str]) -> None:
    retry = [{"ErrorEquals": ["Again"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    execution = states.start({"A": states.wait_for_token(PARK, Retry=retry)})
    first = next_token()
    states.client.send_task_failure(taskToken=first, error="Again", cause="")
    second = next_token()
    with pytest.raises(states.client.exceptions.TaskTimedOut):
        states.client.send_task_success(taskToken=first, output="1")
    states.client.send_task_success(taskToken=second, output="2")
    assert json.loads(states.ended(execution)["output"]) == 2


def test_a_token_works_once(states: States, next_token: Callable[[], str]) -> None:
    execution = states.start({"A": states.wait_for_token(PARK)})
    token = next_token()
    states.client.send_task_success(taskToken=token, output="1")
    with pytest.raises(states.client.exceptions.TaskTimedOut):
        states.client.send_task_success(taskToken=token, output="2")
    assert states.ended(execution)["output"] == "1"


def test_what_is_no_token_is_refused(states: States) -> None:
    with pytest.raises(states.client.exceptions.InvalidToken):
        states.client.send_task_success(taskToken="anything", output="1")


def test_an_answer_that_is_no_json_is_refused_and_the_task_waits_on(
    states: States, next_token: Callable[[], str]
) -> None:
    execution = states.start({"A": states.wait_for_token(PARK)})
    token = next_token()
    with pytest.raises(states.client.exceptions.InvalidOutput):
        states.client.send_task_success(taskToken=token, output="{")
    states.client.send_task_success(taskToken=token, output="{}")
    assert states.ended(execution)["output"] == "{}"


def test_stopping_ends_the_wait_and_closes_the_token(states: States, next_token: Callable[[], str]) -> None:
    execution = states.start({"A": states.wait_for_token(PARK, TimeoutSeconds=86_400)})
    token = next_token()
    states.client.stop_execution(executionArn=execution, error="Stopped", cause="by hand")
    described = states.client.describe_execution(executionArn=execution)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Stopped", "by hand")
    with pytest.raises(ClientError, match="TaskTimedOut"):
        states.client.send_task_success(taskToken=token, output="1")


def test_a_failing_call_fails_the_task_at_once(states: States) -> None:
    event = {"do": "raise", "error": "Own"}
    assert states.run({"A": states.wait_for_token(event, TimeoutSeconds=86_400)})["error"] == "Own"
