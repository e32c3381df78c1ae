"""Container images without Docker: what an image's build context copies into it, laid out on this machine.

Programs and libraries that a build installs are this machine's own; of the libraries only those are shown that the
context's requirements pin, in the pinned versions.
"""

import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Final

from devstack.aws.deployed.libraries import RUNTIME, pinned, shown
from devstack.aws.errors import StackError
from devstack.aws.functions.path import python_only

_LAMBDA_BASE: Final = "public.ecr.aws/lambda/python"
_TASK_ROOT: Final = "/var/task"


@dataclass(frozen=True, slots=True)
class Image:
    """An image's files and settings; ``imports`` are for PYTHONPATH, ``programs`` is the PATH."""

    folder: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]
    imports: tuple[Path, ...]
    programs: str


@dataclass(slots=True)
class _Stage:
    """What a Dockerfile says of the image it ends with."""

    base: str
    environment: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[list[str], str]] = field(default_factory=list)
    workdir: str = "/"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


def built(context: Path, into: Path) -> Image:
    """Lay out the image of a build context under ``into``; StackError when there is none, or it cannot be followed."""
    dockerfile = context / "Dockerfile"
    if not dockerfile.is_file():
        raise StackError(f"{context} is no build context: run `discord-agent package`")
    instructions = list(_instructions(dockerfile.read_text(encoding="utf-8")))
    stage = _last_stage(instructions)
    for sources, target in stage.copies:
        _copy([context / source for source in sources], into, target)
    lists = {source for _, source in _copied(instructions) if source.endswith(".txt")}
    names = [name for source in sorted(lists) for name in pinned(context / source)]
    runtime = RUNTIME if stage.base.startswith(_LAMBDA_BASE) else ()
    libraries = shown([*names, *runtime], into / "libraries")
    paths = [into / path.lstrip("/") for path in stage.environment.pop("PYTHONPATH", "").split(":") if path]
    python = python_only(into / "python")
    return Image(
        folder=into / stage.workdir.lstrip("/"),
        command=(*stage.entrypoint, *stage.command),
        environment=stage.environment,
        imports=(*(path for path in paths if path.is_dir()), libraries),
        programs=os.pathsep.join((python, os.environ.get("PATH", os.defpath))),  # noqa: TID251 (passed to a child)
    )


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()


def _copied(instructions: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Every source that is copied from the context, in whichever stage, with its target."""
    for word, rest in instructions:
        if word == "COPY" and "--from=" not in rest:
            *sources, target = _operands(rest)
            yield from ((target, source) for source in sources)


def _last_stage(instructions: list[tuple[str, str]]) -> _Stage:
    stage = _Stage("")
    for word, rest in instructions:
        known = {"LAMBDA_TASK_ROOT": _TASK_ROOT, **stage.environment}
        text = Template(rest).safe_substitute(known)
        match word:
            case "FROM":
                base = _operands(rest)[0]
                stage = _Stage(base, workdir=_TASK_ROOT if base.startswith(_LAMBDA_BASE) else "/")
            case "ENV":
                stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(text))
            case "COPY" if "--from=" not in rest:
                *sources, target = _operands(text)
                stage.copies.append((sources, target if target.startswith("/") else f"{stage.workdir}/{target}"))
            case "WORKDIR":
                stage.workdir = text
            case "ENTRYPOINT":
                stage.entrypoint = tuple(json.loads(text))
            case "CMD":
                stage.command = tuple(json.loads(text))
    return stage


def _operands(rest: str) -> list[str]:
    return [word for word in shlex.split(rest) if not word.startswith("--")]


def _copy(sources: list[Path], root: Path, target: str) -> None:
    into = root / target.lstrip("/")
    is_folder = target.endswith(("/", "/.")) or len(sources) > 1
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, into, dirs_exist_ok=True)
        elif source.is_file():
            place = into / source.name if is_folder else into
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)
        else:
            raise StackError(f"{source} is copied into the image, but not in its build context")
