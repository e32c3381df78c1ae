from dataclasses import dataclass, replace

import pytest

from discord_agent.adapters.codec import from_json, to_json
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.run import RunState
from discord_agent.entrypoint import composed, run_step
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
