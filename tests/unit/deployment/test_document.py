"""What Terraform reads is what is declared."""

import json
from pathlib import Path

import pytest

from deployment import document
from discord_agent.system import SYSTEM


@pytest.mark.parametrize(
    ("path", "contents"), document.files(SYSTEM).items(), ids=lambda each: getattr(each, "name", "")
)
def test_what_terraform_reads_is_the_declaration(path: Path, contents: str) -> None:
    assert path.read_text(encoding="utf-8") == contents, "run `discord-agent declaration --write`"


def test_everything_that_can_be_chosen_is_a_variable_without_a_default_of_its_own() -> None:
    (path,) = [each for each in document.files(SYSTEM) if each.name == "choices.tf.json"]
    variables = json.loads(document.files(SYSTEM)[path])["variable"]
    assert variables.keys() == SYSTEM.settings.keys() | {each.lower() for each in SYSTEM.parameters}
    assert {each["default"] for each in variables.values()} == {None}


def test_a_function_is_told_of_its_layers_and_of_what_its_variables_refer_to() -> None:
    turn = document.document(SYSTEM)["functions"]["turn"]
    assert turn["layers"] == ["core", "core-dependencies", "models-dependencies"]
    assert turn["environment"]["SANDBOX_FUNCTION"] == {"ref": "function/sandbox"}


def test_a_statement_names_what_is_behind_the_arn_with_its_separator() -> None:
    roles = document.document(SYSTEM)["roles"]
    statements = roles["function/turn"]["statements"] + roles["function/finish"]["statements"]
    resources = {(each["ref"], each["path"]) for statement in statements for each in statement["resources"]}
    assert {
        ("bucket/artifacts", "/threads/*"),
        ("table/executions", "/index/*"),
        ("function/sandbox", ":live"),
    } <= resources
