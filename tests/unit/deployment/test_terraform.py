"""How Terraform is found, and what is kept when everything else goes."""

from pathlib import Path

import pytest

from deployment.terraform import TerraformMissing, find, holds_data


def test_without_the_program_it_is_named_as_missing(tmp_path: Path) -> None:
    with pytest.raises(TerraformMissing, match="terraform: not on the PATH"):
        find({"PATH": str(tmp_path)})


def test_a_variable_that_names_a_missing_configuration_does_no_harm(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    found = find({"PATH": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "missing")})
    assert found.environment["TF_CLI_CONFIG_FILE"] == "/dev/null"


def test_a_configuration_of_ones_own_is_left_to_say_where_providers_are(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    configuration = tmp_path / "terraformrc"
    configuration.write_text("", encoding="utf-8")
    found = find({"PATH": str(tmp_path), "TF_CLI_CONFIG_FILE": str(configuration)})
    assert found.plugins is None
    assert found.environment["TF_CLI_CONFIG_FILE"] == str(configuration)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("aws_dynamodb_table.discord_sessions", True),
        ("aws_s3_bucket.artifacts", True),
        ("aws_s3_bucket_lifecycle_configuration.artifacts", True),
        ("aws_kms_key.data[0]", True),
        ("aws_s3_bucket.packages", False),
        ("aws_sqs_queue.agentic_events", True),
        ('module.function["turn"].aws_lambda_function.this', False),
    ],
)
def test_tables_queues_the_bucket_and_their_key_are_kept(address: str, kept: bool) -> None:
    assert holds_data(address) is kept
