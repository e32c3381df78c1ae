"""What a machine lacks is told with what to install."""

from pathlib import Path

from deployment.cli.checks import Level, examine
from deployment.cli.machine import Machine


def levels(machine: Machine) -> dict[str, Level]:
    return {finding.name: finding.level for finding in examine(machine.checks())}


def test_a_machine_with_nothing_fails_where_nothing_works_and_warns_where_something_does(tmp_path: Path) -> None:
    bare = Machine(tmp_path, "arm64", version=(3, 11), which=lambda _: None, is_free=lambda _: False)
    assert levels(bare) == {
        "Python": Level.FAIL,
        "git": Level.FAIL,
        "make": Level.FAIL,
        "rg": Level.WARN,
        "docker": Level.WARN,
        "deploying": Level.WARN,
        "port": Level.WARN,
        "packages": Level.WARN,
    }
    assert all(finding.remedy for finding in examine(bare.checks()))


def test_a_machine_with_everything_is_well(tmp_path: Path) -> None:
    built = tmp_path / ".build" / "arm64"
    built.mkdir(parents=True)
    (built / "unpacked.json").write_text("{}", encoding="utf-8")
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    docker.chmod(0o755)
    whole = Machine(tmp_path, "arm64", version=(3, 13), which=lambda _: str(docker), is_free=lambda _: True)
    assert set(levels(whole).values()) == {Level.OK}


def test_docker_without_its_daemon_is_not_taken_for_docker(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    docker.chmod(0o755)
    assert levels(Machine(tmp_path, "arm64", which=lambda _: str(docker)))["docker"] is Level.WARN
