"""Images that nobody names are built from their contexts and pushed, by the same apply."""

from collections.abc import Iterator
from copy import replace
from pathlib import Path

import pytest

from deployment import terraform
from deployment.packages.build import build
from deployment.terraform import Terraform, TerraformFailed
from discord_agent.system import SYSTEM
from tests.infrastructure.terraform.conftest import ARCHITECTURE, CHOSEN, ROOT, keys
from tests.support.emulator import emulator

UNNAMED = {key: value for key, value in CHOSEN.items() if not key.endswith("_image")} | {
    "emulated": True,
    "settings_file": "none.json",
}
IMAGES = ["terraform_data.image"]
DOCKER = """#!/bin/sh
echo "$*" >> "$DOCKER_LOG"
case "$1" in login) test -n "$(cat)" ;; esac
"""


@pytest.fixture(scope="module")
def pointed(installed: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """Terraform in a folder of its own, pointed at an emulator of its own."""
    build(SYSTEM, ROOT, ARCHITECTURE)
    with emulator() as emulated:
        environment = {**installed.environment, **terraform.against(emulated.url, keys())}
        here = replace(installed, environment=environment, work=tmp_path_factory.mktemp("images"))
        here.init()
        yield here


def test_without_docker_it_is_said_what_to_do(pointed: Terraform, tmp_path: Path) -> None:
    here = replace(pointed, environment={**pointed.environment, "PATH": str(tmp_path)})
    with pytest.raises(TerraformFailed, match="Docker is missing: install it, or give"):
        here.apply(UNNAMED, targets=IMAGES)


def test_with_docker_they_are_built_for_the_architecture_and_pushed(pointed: Terraform, tmp_path: Path) -> None:
    """Docker itself is played: what is run here is what it is asked for."""
    docker = tmp_path / "docker"
    docker.write_text(DOCKER, encoding="utf-8")
    docker.chmod(0o755)
    log = tmp_path / "log"
    path = f"{tmp_path}:{pointed.environment['PATH']}"
    here = replace(pointed, environment={**pointed.environment, "PATH": path, "DOCKER_LOG": str(log)})
    here.apply(UNNAMED, targets=IMAGES)
    asked = log.read_text(encoding="utf-8").splitlines()
    built = [line for line in asked if line.startswith("build ")]
    pushed = {line.removeprefix("push ") for line in asked if line.startswith("push ")}
    assert len(built) == 2
    assert {line.split()[4] for line in built} == pushed
    assert all("--platform linux/" in line and f".build/{ARCHITECTURE}/images/" in line for line in built)
    assert sum(line.startswith("login ") for line in asked) == 2
