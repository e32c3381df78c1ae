"""What the CDK makes of two opposite choices of settings, synthesised once for all tests."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from deployment import cdk
from devstack.aws.deployed.functions import HERE
from discord_agent.settings import environment
from tests.infrastructure.cdk.templates import Templates

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
REQUIRED: Mapping[str, str] = {
    "architecture": HERE,
    "discord_bot_id": "1000",
    "discord_public_key": "ab" * 32,
    "sandbox_image": f"{REGISTRY}/discord-agent-sandbox:1",
    "bridge_image": f"{REGISTRY}/discord-agent-gateway-bridge:1",
}
OPPOSITE: Mapping[str, str] = {
    **REQUIRED,
    "artifact_bucket": "files-of-ours",
    "bridge": "false",
    "reserve_concurrency": "false",
    "snap_start": "true",
    "customer_managed_key": "true",
    "alarm_email": "somebody@example.com",
    "spend_alarm": "2.5",
    "log_level": "DEBUG",
}


def tool(folder: Path, settings: Mapping[str, str], variables: Mapping[str, str] | None = None) -> cdk.Cdk:
    """The CDK for these settings, with everything it writes in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "settings.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    try:
        return cdk.find({**environment(), **(variables or {})}, settings=file, output=folder / "out")
    except cdk.CdkMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def default(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates with every setting as it is by default."""
    return Templates(tool(tmp_path_factory.mktemp("default"), REQUIRED).synth())


@pytest.fixture(scope="session")
def opposite(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates with every setting that has an opposite at that."""
    return Templates(tool(tmp_path_factory.mktemp("opposite"), OPPOSITE).synth())
