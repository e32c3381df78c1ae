"""The main job, judged by ``discord-agent demo`` from the system's own records."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import replace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.demo import Job, Report
from devstack.options import DEMO_SCRIPT, ROOT
from tests.support.story import IN_PROCESS, SCRIPTS, Clone, Request, repository, story

SECONDS = 150


@dataclass(frozen=True)
class Verdict:
    """What the command printed and how it ended."""

    code: int
    facts: dict[str, Any]


class Played:
    """A run of the command that goes on beside the test until its verdict is asked for."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "devstack.cli", "demo", "--json", *arguments]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def verdict(self) -> Verdict:
        """Wait for the end."""
        try:
            output, errors = self._process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.stop()
            raise
        assert output, errors
        return Verdict(self._process.returncode, json.loads(output))

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Played]]:
    """The bundled demo as it is, and without the entry that mends its mistake: both at once, to wait only once."""
    script = yaml.safe_load(DEMO_SCRIPT.read_text(encoding="utf-8"))
    script["turn"] = [entry for entry in script["turn"] if not mends(entry)]
    broken = tmp_path_factory.mktemp("broken") / "broken.yaml"
    broken.write_text(yaml.safe_dump(script, allow_unicode=True), encoding="utf-8")
    running = {"bundled": Played(), "broken": Played("--model-script", str(broken))}
    yield running
    for play in running.values():
        play.stop()


def mends(entry: dict[str, Any]) -> bool:
    calls = [call["function"] for call in entry.get("tool_calls", ())]
    return any(call["name"] == "edit_file" and call["arguments"]["path"] == "auth_service/jwt.py" for call in calls)


@contextmanager
def judged(script: str, folder: Path, task: str) -> Iterator[tuple[Report, Request, Clone]]:
    """A script of ours played on a repository of ours, and what it came to."""
    with story(replace(IN_PROCESS, script=SCRIPTS / script, repository=folder)) as told:
        job = Job(told.stack, task, timeout=SECONDS)
        report = job.play()
        with told.git() as clone:
            yield report, told.request(job.message, job.channel), clone


def test_the_bundled_demo_succeeds_and_its_figures_fit_together(plays: dict[str, Played]) -> None:
    verdict = plays["bundled"].verdict()
    facts = verdict.facts
    assert (verdict.code, facts["faults"]) == (0, [])
    assert facts["execution_status"] == "SUCCEEDED"
    assert facts["terminal_messages"] == 1
    assert facts["merged"] is True
    assert len(facts["commit_sha"]) == len(facts["main_sha"]) == 40
    assert facts["commit_sha"] != facts["main_sha"]
    assert facts["tests_run"] == facts["tests_passed"] == 20
    assert facts["rounds"] >= facts["turns"] >= 1
    assert facts["transitions"] > facts["turns"]
    assert facts["transitions_per_turn"] <= 3
    assert facts["card_edits"] >= 1
    assert facts["settled_usd"] == facts["cost_usd"] > 0
    assert 0 < facts["aws_estimate_usd"] < 0.1
    assert 0 < facts["first_sign_seconds"] < facts["seconds"]


def test_the_demo_without_its_mending_fails_because_the_tests_do(plays: dict[str, Played]) -> None:
    verdict = plays["broken"].verdict()
    assert verdict.code == 1
    assert verdict.facts["tests_run"] == 20
    assert verdict.facts["tests_passed"] < 20
    assert [fault for fault in verdict.facts["faults"] if "tests passed" in fault]


def test_prose_in_a_plain_folder_is_changed_although_an_edit_failed_first(tmp_path: Path) -> None:
    (tmp_path / "chapters").mkdir()
    (tmp_path / "README.md").write_text("# The Acme handbook\n", encoding="utf-8")
    (tmp_path / "chapters" / "one.md").write_text("Acme makes soap. Acme is clean.\n", encoding="utf-8")
    with judged("handbook.yaml", tmp_path, "rename the product to Ajax") as (report, request, clone):
        assert report.facts["faults"] == []
        assert clone.read("chapters/one.md") == "Ajax makes soap. Ajax is clean.\n"
        assert clone.read("README.md") == "# The Ajax handbook\n"
        assert clone.read("appendix/terms/ajax.md").endswith("ours. 🧼\n")
        assert clone("ls-files") == "README.md\nappendix/terms/ajax.md\nchapters/one.md"
        files = [request.story.discord.parts.payloads.attachment(each) for each in request.ending.attachments]
        assert [file["filename"] for file in files] == ["acme-becomes-ajax.diff", "ajax.md"]
        diff, glossary = (request.story.download(each) for each in request.ending.attachments)
        assert b"+Ajax makes soap. Ajax is clean." in diff
        assert glossary.decode() == clone.read("appendix/terms/ajax.md")
        assert "📎 **ajax.md**" in request.answer
        assert (report.facts["tests_run"], report.facts["tests_passed"]) == (0, 0)
    assert (tmp_path / "chapters" / "one.md").read_text(encoding="utf-8") == "Acme makes soap. Acme is clean.\n"


def test_modes_links_and_ignored_files_survive_on_another_default_branch(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    greet = tmp_path / "bin" / "greet"
    greet.write_text('#!/bin/sh\necho "Hello, world!"\n', encoding="utf-8")
    greet.chmod(0o755)
    (tmp_path / "bin" / "hello").symlink_to("greet")
    folder = repository(tmp_path, {".gitignore": "build/\n", "LICENSE": "None.\n"}, branch="master")
    with judged("greeter.yaml", folder, "make greet take a name") as (report, _, clone):
        assert report.facts["faults"] == []
        assert clone("rev-parse", "--abbrev-ref", "HEAD") == "master"
        assert "${1:-world}" in clone.read("bin/greet")
        modes = {line.split("\t")[1]: line[:6] for line in clone("ls-files", "--stage").splitlines()}
        assert modes == {".gitignore": "100644", "LICENSE": "100644", "bin/greet": "100755", "bin/hello": "120000"}
        assert clone("log", "-1", "--format=%s", report.facts["commit_sha"]) == "greet takes a name."
