"""Every scenario of ``discord-agent demo --scenario``, judged from the system's records, on one stack."""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.options import ROOT
from devstack.scenarios.catalogue import SCENARIOS, Scenario
from devstack.scenarios.playing import play_on
from tests.support.events import check_event
from tests.support.story import IN_PROCESS, Story, story

SECONDS = 90
TOLD_ELSEWHERE = {"success"}
"""The main job has the demo's own tests."""
STORIES = [scenario for name, scenario in SCENARIOS.items() if name not in TOLD_ELSEWHERE]


def read(script: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(script.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def all_in_one(folder: Path) -> Path:
    """One script with the lines of all scenarios, which ``when`` keeps apart."""
    joined: dict[str, list[Any]] = {}
    for scenario in STORIES:
        for purpose, entries in read(scenario.script).items():
            joined.setdefault(purpose, []).extend(entries)
    path = folder / "scenarios.yaml"
    path.write_text(yaml.safe_dump(joined, allow_unicode=True), encoding="utf-8")
    return path


def events_of(scene: Story) -> list[dict[str, Any]]:
    """What other systems are told, taken from their queue."""
    sqs, url = scene.stack.aws.client("sqs"), scene.stack.aws.queue_url("events")
    taken: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            taken.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return taken


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    options = replace(IN_PROCESS, script=all_in_one(tmp_path_factory.mktemp("scripts")))
    for scenario in STORIES:
        options = scenario.prepared(options)
    with story(options) as told:
        yield told


@pytest.mark.parametrize("scenario", STORIES, ids=[scenario.name for scenario in STORIES])
def test_a_scenario_holds_in_everything_that_is_checked(scene: Story, scenario: Scenario) -> None:
    report = play_on(scene.stack, scenario, timeout=SECONDS)
    assert report.facts["faults"] == [], report.text()
    assert report.facts["checked"]
    emitted = events_of(scene)
    assert emitted
    for body in emitted:
        check_event(body)


def test_a_scenario_is_played_by_the_command_on_a_stack_of_its_own() -> None:
    done = command("--scenario", "clarification", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"faults": []' in done.stdout


def test_the_command_lists_the_scenarios_and_names_one_that_does_not_exist() -> None:
    listed = command("--scenario", "list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(SCENARIOS)
    unknown = command("--scenario", "nonsense")
    assert unknown.returncode == 2
    assert "there is no scenario 'nonsense'" in unknown.stderr


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devstack.cli", "demo", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
