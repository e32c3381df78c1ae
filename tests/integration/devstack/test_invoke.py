"""Every sample event works with its function, and what goes wrong is said clearly."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.cli import main
from devstack.invoke import EVENTS, Workbench
from discord_agent.system import SYSTEM

SAMPLES = sorted(EVENTS.glob("*/*.json"))


@pytest.fixture(scope="module")
def workbench() -> Iterator[Workbench]:
    with Workbench() as bench:
        yield bench


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_function_takes_each_of_its_samples(workbench: Workbench, sample: Path) -> None:
    workbench.start_over()

    result = workbench.invoke(sample.parent.name, sample)

    assert result.error is None, result.payload


def test_a_malformed_message_goes_back_to_the_queue(workbench: Workbench) -> None:
    workbench.start_over()

    result = workbench.invoke("intake", EVENTS / "intake" / "malformed.json")

    failures = result.payload["batchItemFailures"] if isinstance(result.payload, dict) else []
    assert [failure["itemIdentifier"] for failure in failures] == ["00000000-0000-4000-8000-000000000000"]


def test_a_turn_leaves_a_changed_run(workbench: Workbench) -> None:
    workbench.start_over()

    payload = workbench.invoke("turn", EVENTS / "turn" / "first.json").payload

    assert isinstance(payload, dict)
    assert (payload["turn"], payload["next"], payload["rounds"] > 0) == (1, "evaluate", True)


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "is not JSON"), ("[]", "is not a JSON object")],
)
def test_an_event_that_is_no_json_object_is_named(
    workbench: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    event = tmp_path / "event.json"
    event.write_text(content, encoding="utf-8")

    exit_code = main(["invoke", "intake", "--event", str(event)])

    assert (exit_code, said in capsys.readouterr().err) == (2, True)


def test_an_unknown_function_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["invoke", "nonsense", "--event", "nowhere.json"])

    said = capsys.readouterr().err
    assert exit_code == 2
    assert all(name in said for name in SYSTEM.functions)


def test_a_step_refuses_an_event_of_the_wrong_shape(workbench: Workbench, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"execution_id": 7}), encoding="utf-8")

    result = workbench.invoke("turn", event)

    assert result.error_type == "InvalidEvent"
