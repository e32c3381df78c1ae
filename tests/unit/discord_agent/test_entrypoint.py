import pytest

from discord_agent.entrypoint import composed
from discord_agent.settings import environment


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
