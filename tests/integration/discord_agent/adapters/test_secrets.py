from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from discord_agent.adapters.secrets import MAX_AGE, SecretsManagerSecrets
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.redaction import MARK, Redactor
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture
def client() -> "Iterator[SecretsManagerClient]":
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t")


def test_a_rotated_secret_is_seen_when_the_kept_one_is_too_old(client: "SecretsManagerClient") -> None:
    clock = ManualClock()
    secrets = SecretsManagerSecrets(client, clock)
    client.create_secret(Name="token", SecretString="first-value\n")
    assert secrets.get("token") == "first-value"
    client.put_secret_value(SecretId="token", SecretString="second-value")
    clock.pass_by(MAX_AGE - timedelta(seconds=1))
    assert secrets.get("token") == "first-value"
    clock.pass_by(timedelta(seconds=1))
    assert secrets.get("token") == "second-value"


def test_a_secret_left_empty_reads_as_no_text(client: "SecretsManagerClient") -> None:
    client.create_secret(Name="empty", SecretString=" ")
    assert SecretsManagerSecrets(client, ManualClock()).get("empty") == ""


def test_a_missing_secret_is_named_with_the_remedy(client: "SecretsManagerClient") -> None:
    with pytest.raises(InvalidSettings, match="discord-agent/token"):
        SecretsManagerSecrets(client, ManualClock()).get("discord-agent/token")


def test_whatever_was_fetched_is_redacted_from_then_on(client: "SecretsManagerClient") -> None:
    secrets = SecretsManagerSecrets(client, ManualClock())
    redactor = Redactor(secrets.known)
    client.create_secret(Name="plain", SecretString="correct horse")
    client.create_secret(
        Name="git", SecretString='{"git.example.com": {"username": "x-access-token", "password": "battery staple"}}'
    )
    text = "correct horse, battery staple, x-access-token"
    assert redactor.text(text) == text
    secrets.get("plain")
    secrets.get("git")
    assert redactor.text(text) == f"{MARK}, {MARK}, x-access-token"


def test_values_do_not_show_when_the_object_is_printed(client: "SecretsManagerClient") -> None:
    secrets = SecretsManagerSecrets(client, ManualClock())
    client.create_secret(Name="plain", SecretString="correct horse")
    secrets.get("plain")
    assert "correct horse" not in repr(secrets)
