"""The system applied by Terraform to an emulator, once for all tests here; named as NOT RUN where Terraform cannot run."""

import platform
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployment import terraform
from deployment.packages.build import build
from deployment.terraform import Terraform, TerraformMissing
from devstack.aws.names import REGION, credentials
from discord_agent.settings import environment
from discord_agent.system import SYSTEM
from tests.support.data_plane import client
from tests.support.emulator import emulator

ROOT = Path(__file__).parents[3]
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), "x86_64")
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
CHOSEN = {
    "architecture": ARCHITECTURE,
    "discord_bot_id": "900",
    "discord_public_key": "0" * 64,
    "sandbox_image": f"{REGISTRY}/discord-agent-sandbox:1",
    "bridge_image": f"{REGISTRY}/discord-agent-gateway-bridge:1",
    "alarm_email": "operator@example.com",
}
"""Images are named: there is no Docker to build them with on every machine."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was applied: how to go on with it, its state then, and how many resources a first, interrupted apply had made."""

    terraform: Terraform
    variables: Mapping[str, object]
    state: dict[str, Any]
    interrupted_at: int
    endpoint: str

    def client(self, service: str) -> Any:
        """A client of the emulator that it was applied to."""
        return client(service, self.endpoint)


def keys() -> dict[str, str]:
    """What tools sign with."""
    given = credentials()
    return {
        "AWS_ACCESS_KEY_ID": given["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": given["aws_secret_access_key"],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform with its provider, in a folder of its own."""
    try:
        found = terraform.find(environment(), work=tmp_path_factory.mktemp("terraform"))
        found.init()
    except TerraformMissing as error:
        pytest.skip(str(error))
    return found


@pytest.fixture(scope="session")
def applied(installed: Terraform) -> Iterator[Applied]:
    """The whole system, by an apply that was cut off on its way and then repeated."""
    build(SYSTEM, ROOT, ARCHITECTURE)
    with emulator() as emulated:
        variables = {**CHOSEN, "emulated": True, "settings_file": "none.json"}
        pointed = {**installed.environment, **terraform.against(emulated.url, keys())}
        here = Terraform(installed.program, installed.plugins, pointed, installed.work)
        made = _cut_off(here, variables)
        here.apply(variables)
        yield Applied(here, variables, here.state(), made, emulated.url)


def _cut_off(here: Terraform, variables: Mapping[str, object]) -> int:
    """Interrupt an apply while it makes things, as Ctrl-C does; how many were in the state then."""
    process = here.start_apply(variables)
    if process.stdout is None:
        raise AssertionError("the apply says nothing")
    with process.stdout as said:
        for line in said:
            if "Creation complete" in line:
                process.send_signal(signal.SIGINT)
                break
        said.read()
    assert process.wait(timeout=300) != 0
    return len(here.addresses())
