"""The settings of whoever deploys: defaults, choices, and what is wrong with a file."""

import json
from pathlib import Path

import pytest

from deployment.settings import chosen, read
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM


def test_without_a_file_everything_has_its_default_and_what_is_required_is_missing(tmp_path: Path) -> None:
    settings = read(SYSTEM, tmp_path / "settings.json")
    assert settings.values.keys() == SYSTEM.settings.keys() | {name.lower() for name in SYSTEM.parameters}
    assert settings["architecture"] == "arm64"
    assert settings.on("bridge")
    assert settings.missing() == ["discord_bot_id", "discord_public_key"]


def test_what_a_file_says_takes_the_place_of_the_default(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"bridge": False, "discord_bot_id": 42, "spend_alarm": "2.5"}), encoding="utf-8")
    settings = read(SYSTEM, path)
    assert not settings.on("bridge")
    assert settings.parameter("DISCORD_BOT_ID") == "42"
    assert settings["spend_alarm"] == "2.5"
    assert settings.missing() == ["discord_public_key"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"brigde": "true"}, "brigde is no setting"),
        ({"architecture": "riscv"}, "architecture is 'riscv', and may be arm64 or x86_64"),
        ({"bridge": ["true"]}, "bridge is no text"),
        ({"spend_alarm": "much"}, "spend_alarm is 'much', which is no number"),
        ({"artifact_bucket": "My_Bucket"}, "artifact_bucket is 'My_Bucket'"),
    ],
)
def test_a_bad_setting_is_named_with_what_would_be_good(given: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidSettings, match=said):
        chosen(SYSTEM, given)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_that_is_no_object_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSettings, match=r"mine\.json is no JSON"):
        read(SYSTEM, path)
