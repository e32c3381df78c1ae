import json
import socket
from copy import replace
from dataclasses import dataclass

import pytest

from discord_agent.adapters.codec import from_json, to_json
from discord_agent.adapters.logging import correlation
from discord_agent.adapters.metering import meter
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.run import RunState
from discord_agent.entrypoint import accounted, composed, queue_step, run_step
from discord_agent.settings import environment
from tests.support.fakes.world import World


@dataclass
class FakeContext:
    """What is used of the Lambda context."""

    aws_request_id: str


def test_a_step_is_composed_once_although_the_runtime_changes_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    step = composed(lambda variables: object())
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-1")
    first = step()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2")
    assert step() is first


def test_a_step_is_not_composed_before_its_first_use() -> None:
    used: list[object] = []
    step = composed(used.append)
    assert not used
    step()
    assert used == [environment()]


def test_a_step_adds_what_it_took_of_aws_to_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
    run = replace(World().requested(), cloud=CloudUse(transitions=5, table_writes=3))
    handler = run_step(lambda variables: lambda given: replace(given, turn=given.turn + 1), transitions=2)
    after = from_json(RunState, handler(to_json(run), FakeContext("request-1")))
    assert after.turn == 1
    assert (after.cloud.transitions, after.cloud.invocations, after.cloud.table_writes) == (7, 1, 3)
    assert after.cloud.mb_ms % 1024 == 0


def test_what_a_step_logs_is_found_by_execution_thread_and_request() -> None:
    seen: list[dict[str, object]] = []

    def step(run: RunState) -> RunState:
        seen.append(correlation())
        return run

    run = World().requested()
    run_step(lambda variables: step)(to_json(run), FakeContext("request-1"))
    expected = {"execution_id": run.execution_id, "thread_id": run.thread_id, "turn": 0, "request_id": "request-1"}
    assert seen == [expected]
    assert correlation() == {}


def test_a_step_is_a_span_of_the_invocations_trace_with_its_execution_and_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = World().requested()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{daemon.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2-3;Parent=b;Sampled=1")
        run_step(lambda variables: lambda given: given)(to_json(run), FakeContext("request-1"))
        span = json.loads(daemon.recv(65536).split(b"\n")[1])
    assert (span["trace_id"], span["parent_id"]) == ("1-2-3", "b")
    assert span["annotations"] == {"execution_id": run.execution_id, "thread_id": run.thread_id, "turn": 0}


def test_what_an_event_took_of_aws_stands_in_the_log_even_if_it_failed(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_event: dict[str, object], _context: object) -> None:
        meter().add(CloudUse(table_writes=2, messages=1))
        raise InvalidEvent("broken")

    with caplog.at_level("INFO"), pytest.raises(InvalidEvent):
        accounted(fails)({}, FakeContext("request-1"))
    [record] = [each for each in caplog.records if each.getMessage() == "took"]
    took = {name: count for name, count in vars(record).items() if name.startswith("aws_")}
    assert took == {"aws_table_writes": 2, "aws_messages": 1}


def test_a_message_that_fails_holds_back_its_group_of_the_queue_and_no_other() -> None:
    handled: list[str] = []

    def step(body: str) -> None:
        if body == "bad":
            raise InvalidEvent("it cannot be read")
        handled.append(body)

    records = [
        {"messageId": name, "body": body, "attributes": {"MessageGroupId": group}}
        for name, body, group in (("1", "a", "x"), ("2", "bad", "x"), ("3", "b", "y"), ("4", "c", "x"))
    ]
    failed = {"batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "4"}]}
    assert queue_step(lambda variables: step, fifo=True)({"Records": records}, FakeContext("r")) == failed
    assert handled == ["a", "b"]


def test_a_message_that_fails_in_a_queue_without_order_holds_back_none() -> None:
    def step(body: str) -> None:
        if body == "bad":
            raise InvalidEvent("it cannot be read")

    records = [{"messageId": name, "body": body} for name, body in (("1", "bad"), ("2", "good"))]
    failed = {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert queue_step(lambda variables: step, fifo=False)({"Records": records}, FakeContext("r")) == failed
