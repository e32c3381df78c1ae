"""Programs that run for minutes: what they say is passed on while they say it, and kept for whoever explains a failure."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

type Listen = Callable[[str], object]
"""Takes one line, without its end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and all that it said."""

    status: int
    said: str


def unheard(_: str) -> None:
    """For whoever wants no line before the end."""


def play(command: Sequence[str], environment: Mapping[str, str], *, folder: Path, listen: Listen) -> Ended:
    """Run a program in a folder to its end; both of its outputs are one."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as program:
        if program.stdout is None:
            raise RuntimeError("a program was started without its output")
        for line in program.stdout:
            lines.append(line)
            listen(line.rstrip("\n"))
    return Ended(program.returncode, "".join(lines))
