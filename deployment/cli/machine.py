"""Checks of the machine at hand: what the development stack and a deployment need of it."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deployment.cli.checks import Check, Finding, fail, ok, warn

_PYTHON: Final = (3, 13)
_PAGE: Final = 8750
"""The port of the development stack's page."""

_DOCKER_PATIENCE: Final = 10.0
_NEEDED: Final = {"git": "install git", "make": "install make"}
_WANTED: Final = {
    "rg": "install ripgrep: searches in large repositories are slow without it, on this machine",
}
_TOOLS: Final = {"terraform": "Terraform 1.11 or newer", "node": "Node.js, for the CDK"}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # What has just closed a port leaves it taken for a while.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _serves(docker: str) -> bool:
    """Whether the program reaches the daemon that does its work."""
    try:
        return (
            subprocess.run([docker, "info"], capture_output=True, timeout=_DOCKER_PATIENCE, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


@dataclass(frozen=True, slots=True)
class Machine:
    """The one at hand; ``which`` finds programs, ``is_free`` tells of ports. ``builds_images`` when none are named."""

    root: Path
    architecture: str
    builds_images: bool = True
    version: tuple[int, int] = sys.version_info[:2]
    which: Callable[[str], str | None] = shutil.which
    is_free: Callable[[int], bool] = _is_free

    def checks(self) -> list[Check]:
        """All of them."""
        return [
            Check("Python", self._python),
            Check("programs", self._programs),
            Check("port", self._port),
            Check("packages", self._packages),
        ]

    def _python(self) -> Iterator[Finding]:
        found = ".".join(map(str, self.version))
        if self.version == _PYTHON:
            yield ok("Python", found)
        else:
            yield fail("Python", f"this is {found}", "use 3.13, the version of the functions: `make setup` installs it")

    def _programs(self) -> Iterator[Finding]:
        for program, remedy in _NEEDED.items():
            yield ok(program, "there") if self.which(program) else fail(program, "it is not there", remedy)
        for program, remedy in _WANTED.items():
            yield ok(program, "there") if self.which(program) else warn(program, "it is not there", remedy)
        if self.builds_images:
            yield self._docker()
        there = [program for program in _TOOLS if self.which(program)]
        if there:
            yield ok("deploying", f"with {' or '.join(there)}")
        else:
            yield warn("deploying", "neither of the tools is there", f"install {' or '.join(_TOOLS.values())}")

    def _docker(self) -> Finding:
        program = self.which("docker")
        if program and _serves(program):
            return ok("docker", "runs")
        remedy = "for deploying images have to be built: start Docker, or name them in settings.json (sandbox_image, bridge_image)"
        return warn("docker", "it does not run" if program else "it is not there", remedy)

    def _port(self) -> Iterator[Finding]:
        if self.is_free(_PAGE):
            yield ok("port", f"{_PAGE} is free for `make dev`")
        else:
            yield warn("port", f"{_PAGE} is in use", "`make dev` runs already, or use `discord-agent dev --port 0`")

    def _packages(self) -> Iterator[Finding]:
        folder = self.root / ".build" / self.architecture
        if (folder / "unpacked.json").exists():
            yield ok("packages", f"built for {self.architecture}")
        else:
            yield warn("packages", "not built yet", "`discord-agent deploy` builds them, or `discord-agent package`")
