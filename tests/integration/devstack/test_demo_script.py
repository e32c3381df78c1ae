"""The demo script against the bundled repository: its edits are made and its commands are run for real."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack.model.player import choose
from devstack.model.request import ChatRequest, parse_request
from devstack.model.script import Entry, Script, load_script
from devstack.options import DEMO_SCRIPT, DEMO_TASK, SAMPLE
from discord_agent.adapters.folders import find_root
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.domain.classification import TaskType
from discord_agent.domain.control_tools import NAMES, Finished, parse
from discord_agent.domain.conversation import Purpose, ToolCall
from discord_agent.domain.sandbox_tools import SANDBOX_TOOLS
from discord_agent.replies import DecideReply, PlanReply, ReflectReply, TitleReply

PROMPTS = TemplatePrompts(find_root())
ASKED = {"history": (), "author": "Ada", "content": f"<@42> {DEMO_TASK}"}
QUESTION = {"history": (f"Ada: {DEMO_TASK}",), "author": "Ada", "content": "<@42> what is async/await in JavaScript?"}
TASK = PROMPTS.render("question", **ASKED)
MOST_ROUNDS = 20


@dataclass
class Bench:
    """A copy of the sample in which the script's tool calls are carried out."""

    root: Path

    def run(self, name: str, arguments: dict[str, Any]) -> str:
        tools: dict[str, Callable[..., str]] = {
            "read_file": self.read,
            "list_files": self.names,
            "write_file": self.write,
            "edit_file": self.edit,
            "grep": lambda pattern: self.bash(f"grep -rnE '{pattern}' --include=*.py ."),
            "bash": self.bash,
        }
        return tools[name](**arguments)

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def names(self) -> str:
        return "\n".join(sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*.py")))

    def write(self, path: str, content: str) -> str:
        (self.root / path).write_text(content, encoding="utf-8")
        return "written"

    def edit(self, path: str, old: str, new: str) -> str:
        text = self.read(path)
        assert text.count(old) == 1
        return self.write(path, text.replace(old, new))

    def bash(self, command: str) -> str:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTEST_ADDOPTS": f"--junitxml={self.report} -p no:cacheprovider",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return f"{done.stdout}{done.stderr}\n[exit code {done.returncode}]"

    @property
    def report(self) -> Path:
        return self.root.parent / "junit.xml"

    def tests(self) -> tuple[int, int]:
        """How many tests the newest run had, and how many passed."""
        suite = next(ET.parse(self.report).iter("testsuite")).attrib  # noqa: S314 - written by our own pytest
        run, bad = int(suite["tests"]), int(suite["failures"]) + int(suite["errors"])
        return run, run - bad


@dataclass(frozen=True)
class Played:
    bench: Bench
    results: tuple[str, ...]
    control: Finished


def play(script: Script, folder: Path) -> Played:
    root = folder / "copy"
    shutil.copytree(SAMPLE, root)
    bench = Bench(root)
    messages: list[dict[str, Any]] = [{"role": "user", "content": TASK}]
    results: list[str] = []
    for _ in range(MOST_ROUNDS):
        message = choose(script, turn(messages)).message
        assert message is not None
        messages.append(message)
        for call in message["tool_calls"]:
            asked = ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
            if asked.name in NAMES:
                control = parse(asked)
                assert isinstance(control, Finished)
                return Played(bench, tuple(results), control)
            results.append(bench.run(asked.name, json.loads(asked.arguments)))
            messages.append({"role": "tool", "tool_call_id": asked.id, "content": results[-1]})
    raise AssertionError("the script does not end")


def turn(messages: Iterable[dict[str, Any]]) -> ChatRequest:
    tools = [{"type": "function", "function": {"name": "finish"}}]
    return parse_request({"model": "m", "messages": list(messages), "tools": tools})


def mends(entry: Entry) -> bool:
    return any(
        call.function.name == "edit_file"
        and isinstance(call.function.arguments, dict)
        and call.function.arguments["path"] == "auth_service/jwt.py"
        for call in entry.tool_calls
    )


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script(DEMO_SCRIPT)


def test_the_demo_sees_its_tests_fail_mends_the_cause_and_sees_them_pass(script: Script, tmp_path: Path) -> None:
    played = play(script, tmp_path)
    outcomes = [
        result for result in played.results if "[exit code" in result and ("passed" in result or "failed" in result)
    ]
    run, passed = played.bench.tests()

    assert ["[exit code 0]" in outcome for outcome in outcomes] == [True, False, True]
    assert "Incorrect padding" in outcomes[1]
    assert run == passed == 20
    assert "python -m pytest" in played.control.summary


def test_without_the_mending_entry_the_tests_stay_red(script: Script, tmp_path: Path) -> None:
    broken = script.model_copy(update={"turn": tuple(entry for entry in script.turn if not mends(entry))})
    played = play(broken, tmp_path)
    run, passed = played.bench.tests()

    assert len(broken.turn) == len(script.turn) - 1
    assert run == 20
    assert passed < run


def test_the_sample_is_green_before_the_demo(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "copy")
    bench = Bench(tmp_path / "copy")
    bench.bash("python -m pytest -q")

    assert bench.tests() == (9, 9)


def test_the_demo_calls_only_tools_that_exist_and_fills_in_what_they_require(script: Script) -> None:
    required = {spec.name: set(spec.parameters.get("required", ())) for spec in SANDBOX_TOOLS}
    known = {spec.name: set(spec.parameters["properties"]) for spec in SANDBOX_TOOLS}

    for entry in script.turn:
        for call in entry.tool_calls:
            if call.function.name not in NAMES:
                assert isinstance(call.function.arguments, dict)
                assert required[call.function.name] <= call.function.arguments.keys() <= known[call.function.name]


def test_the_demos_json_replies_fit_their_schemas_exactly(script: Script) -> None:
    replies = (
        (Purpose.DECIDE, DecideReply),
        (Purpose.PLAN, PlanReply),
        (Purpose.REFLECT, ReflectReply),
        (Purpose.TITLE, TitleReply),
    )
    for purpose, shape in replies:
        for entry in script.entries(purpose):
            assert isinstance(entry.content, dict)
            reply = shape.model_validate(entry.content)
            assert reply.model_dump(mode="json") == entry.content | {
                name: value.strip() for name, value in entry.content.items() if isinstance(value, str)
            }


def test_the_demo_says_that_it_is_scripted_before_anything_else(script: Script) -> None:
    message = choose(script, turn([{"role": "user", "content": TASK}])).message

    assert message is not None
    assert message["content"].startswith("I am the scripted demo model")


def test_the_demos_decisions_depend_on_the_message_and_not_on_what_was_said_before(script: Script) -> None:
    def decided(values: dict[str, Any]) -> TaskType | None:
        shown = PROMPTS.render("decide_request", forced=True, **values)
        message = choose(script, structured(Purpose.DECIDE, shown)).message
        assert message is not None
        return DecideReply.model_validate_json(message["content"]).task_type

    assert decided(ASKED) is TaskType.CODING
    assert decided(QUESTION) is TaskType.EXPLANATION


def structured(purpose: Purpose, text: str) -> ChatRequest:
    response_format = {"type": "json_schema", "json_schema": {"name": purpose}}
    messages = [{"role": "user", "content": text}]
    return parse_request({"model": "m", "messages": messages, "response_format": response_format})
