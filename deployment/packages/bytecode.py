"""Bytecode made in advance: a Lambda environment cannot write any, and would compile everything at each cold start."""

import py_compile
import sys
from pathlib import Path
from typing import Final

from discord_agent.domain.errors import InvalidSettings

VERSION: Final = (3, 13)
"""The Python of the Lambda runtime."""


def compile_folder(folder: Path, installed: str) -> None:
    """Compile every module under ``folder``, which will lie at ``installed``; a module that is no Python 3 is left out."""
    if sys.version_info[:2] != VERSION:
        wanted = ".".join(map(str, VERSION))
        raise InvalidSettings(f"packages are compiled for Python {wanted}: run this with it, as `make setup` does")
    for source in sorted(folder.rglob("*.py")):
        _compile(source, f"{installed}/{source.relative_to(folder).as_posix()}")


def _compile(source: Path, name: str) -> None:
    target = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
    target.parent.mkdir(exist_ok=True)
    try:
        # Nobody changes a deployed source: its hash is written for whoever asks, and checked by nobody.
        py_compile.compile(
            str(source),
            str(target),
            dfile=name,
            doraise=True,
            quiet=2,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except py_compile.PyCompileError:
        # Templates of other programs that only look like modules; importing them would fail in the same way.
        return
