"""What Terraform reads is what is declared."""

from deployment import document
from discord_agent.system import SYSTEM


def test_the_document_that_terraform_reads_is_the_declaration() -> None:
    kept = document.PATH.read_text(encoding="utf-8")
    assert kept == document.text(SYSTEM), "run `discord-agent declaration --write`"


def test_a_function_is_told_of_its_layers_and_of_what_its_variables_refer_to() -> None:
    turn = document.document(SYSTEM)["functions"]["turn"]
    assert turn["layers"] == ["core", "core-dependencies", "models-dependencies"]
    assert turn["environment"]["SANDBOX_FUNCTION"] == {"ref": "function/sandbox"}


def test_a_statement_names_what_is_behind_the_arn_with_its_separator() -> None:
    statements = document.document(SYSTEM)["roles"]["function/turn"]["statements"]
    resources = {(each["ref"], each["path"]) for statement in statements for each in statement["resources"]}
    assert {
        ("bucket/artifacts", "/threads/*"),
        ("table/executions", "/index/*"),
        ("function/sandbox", ":live"),
    } <= resources
