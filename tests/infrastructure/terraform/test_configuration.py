"""Without an account: the configuration is valid and holds its own tests."""

import subprocess

import pytest

from deployment.terraform import Terraform
from tests.infrastructure.terraform.conftest import ROOT


def test_the_configuration_is_valid(installed: Terraform) -> None:
    installed.validate()


def test_its_own_tests_with_a_mocked_provider_hold(installed: Terraform) -> None:
    said = installed.test()
    assert "0 failed" in said
    assert "skip" not in said


def test_checkov_finds_nothing_that_is_not_explained() -> None:
    program = ROOT / ".cdk" / "bin" / "checkov"
    if not program.exists():
        pytest.skip("checkov: not installed in this folder; run `make cdk-setup`")
    folder = ROOT / "terraform"
    done = subprocess.run(
        [program, "--directory", folder, "--config-file", folder / ".checkov.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
