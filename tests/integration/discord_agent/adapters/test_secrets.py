from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from discord_agent.adapters.secrets import MAX_AGE, ParameterStoreSecrets
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.redaction import MARK, Redactor
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@pytest.fixture
def client() -> "Iterator[SSMClient]":
    with mock_aws():
        yield boto3.client("ssm", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t")


def store(client: "SSMClient", name: str, value: str) -> None:
    client.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def test_a_rotated_secret_is_seen_when_the_kept_one_is_too_old(client: "SSMClient") -> None:
    clock = ManualClock()
    secrets = ParameterStoreSecrets(client, clock)
    store(client, "token", "first-value\n")
    assert secrets.get("token") == "first-value"
    store(client, "token", "second-value")
    clock.pass_by(MAX_AGE - timedelta(seconds=1))
    assert secrets.get("token") == "first-value"
    clock.pass_by(timedelta(seconds=1))
    assert secrets.get("token") == "second-value"


def test_a_secret_left_empty_reads_as_no_text(client: "SSMClient") -> None:
    store(client, "empty", " ")
    assert ParameterStoreSecrets(client, ManualClock()).get("empty") == ""


def test_a_missing_secret_is_named_with_the_remedy(client: "SSMClient") -> None:
    with pytest.raises(InvalidSettings, match="/discord-agent/token"):
        ParameterStoreSecrets(client, ManualClock()).get("/discord-agent/token")


def test_whatever_was_fetched_is_redacted_from_then_on(client: "SSMClient") -> None:
    secrets = ParameterStoreSecrets(client, ManualClock())
    redactor = Redactor(secrets.known)
    store(client, "plain", "correct horse")
    store(client, "git", '{"git.example.com": {"username": "x-access-token", "password": "battery staple"}}')
    text = "correct horse, battery staple, x-access-token"
    assert redactor.text(text) == text
    secrets.get("plain")
    secrets.get("git")
    assert redactor.text(text) == f"{MARK}, {MARK}, x-access-token"


def test_values_do_not_show_when_the_object_is_printed(client: "SSMClient") -> None:
    secrets = ParameterStoreSecrets(client, ManualClock())
    store(client, "plain", "correct horse")
    secrets.get("plain")
    assert "correct horse" not in repr(secrets)
