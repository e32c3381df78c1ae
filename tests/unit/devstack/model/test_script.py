import json
from pathlib import Path
from typing import Any

import pytest

from devstack.model.script import FaultKind, load_script, parse_script
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidSettings


def test_a_script_is_read_from_yaml_and_from_json_alike(tmp_path: Path) -> None:
    data = {"turn": [{"tool_calls": [{"function": {"name": "bash", "arguments": {"command": "ls"}}}]}]}
    in_json, in_yaml = tmp_path / "a.json", tmp_path / "a.yaml"
    in_json.write_text(json.dumps(data), encoding="utf-8")
    in_yaml.write_text("turn:\n- tool_calls:\n  - function: {name: bash, arguments: {command: ls}}\n", encoding="utf-8")

    assert load_script(in_json) == load_script(in_yaml) == parse_script(data, "data")


def test_a_recorded_message_with_empty_fields_is_taken_as_it_is() -> None:
    recorded: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [],
        "tool_calls": [],
    }
    recorded["tool_calls"] = [{"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": "{}"}}]

    entry = parse_script({"turn": [recorded]}, "data").turn[0]

    assert (entry.text, entry.tool_calls[0].id, entry.tool_calls[0].function.arguments) == (None, "call_1", "{}")


def test_content_may_be_an_object() -> None:
    entry = parse_script({"plan": [{"content": {"topic_slug": "thé"}}]}, "data").entries(Purpose.PLAN)[0]

    assert entry.text == '{"topic_slug": "thé"}'


def test_faults_may_be_one_or_several() -> None:
    script = parse_script(
        {"respond": [{"content": "x", "fault": {"hang": True}}, {"fault": [{"http": 500}, {"garbage": True}]}]}, "data"
    )

    assert [[fault.kind for fault in entry.fault] for entry in script.respond] == [
        [FaultKind.HANG],
        [FaultKind.HTTP, FaultKind.GARBAGE],
    ]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ([], "top level"),
        ("text", "top level"),
        ({"turns": []}, "turns: Extra inputs"),
        ({"turn": "text"}, "turn: "),
        ({"turn": [{"content": "x", "when": "("}]}, "turn[0].when: not a regular expression"),
        ({"turn": [{"content": "x"}, {"tool_calls": [{"function": {}}]}]}, "turn[1].tool_calls[0].function.name"),
        ({"turn": [{"tool_calls": [{"name": "bash"}]}]}, "turn[0].tool_calls[0].function: Field required"),
        ({"turn": [{"tool_calls": [{"function": {"name": "b", "arguments": 5}}]}]}, "turn[0].tool_calls[0].function"),
        ({"turn": [{}]}, "turn[0]: give content, tool_calls or a fault"),
        ({"turn": [{"role": "user", "content": "x"}]}, "turn[0].role"),
        ({"turn": [{"contents": "x"}]}, "turn[0].contents"),
        ({"turn": [{"fault": {}}]}, "turn[0].fault[0]: give exactly one of http, hang, drop, stall, garbage"),
        ({"turn": [{"fault": {"hang": True, "drop": True}}]}, "turn[0].fault[0]: give exactly one"),
        ({"turn": [{"fault": {"http": 200}}]}, "turn[0].fault[0].http"),
        ({"turn": [{"fault": {"drop": True, "retry_after": 1}}]}, "turn[0].fault[0]: retry_after goes with http"),
        ({"turn": [{"fault": {"stall": 1}}]}, "turn[0]: a stall needs an answer"),
        ({"introduction": ""}, "introduction"),
    ],
)
def test_a_malformed_script_names_file_entry_and_remedy(data: Any, place: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_script(data, "my.yaml")

    assert str(caught.value).startswith("model script my.yaml: ")
    assert place in str(caught.value)
    assert "docs/SCRIPTS.md" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.yaml", b"turn: [", "not YAML"),
        ("a.json", b"turn: []", "not JSON"),
        ("a.yaml", b"\xff\xfe\x00", "cannot be read"),
        ("a.yaml", b"!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_a_file_that_is_no_script_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(InvalidSettings, match=words):
        load_script(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"nowhere\.yaml: cannot be read"):
        load_script(tmp_path / "nowhere.yaml")
