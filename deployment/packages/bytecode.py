"""Bytecode made in advance: a Lambda environment cannot write any, and would compile everything at each cold start."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from discord_agent.domain.errors import InvalidSettings

VERSION: Final = (3, 13)
"""The Python of the Lambda runtime."""
_COMPILER: Final = Path(__file__).with_name("compiling.py")


def compile_folder(folder: Path, installed: str) -> None:
    """Compile every module under ``folder``, which will lie at ``installed``; a module that is no Python 3 is left out."""
    if sys.version_info[:2] != VERSION:
        wanted = ".".join(map(str, VERSION))
        raise InvalidSettings(f"packages are compiled for Python {wanted}: run this with it, as `make setup` does")
    command = [sys.executable, "-P", "-S", str(_COMPILER), str(folder), installed]
    # The order of sets, which bytecode holds too, depends on the seed.
    subprocess.run(command, env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}, check=True, capture_output=True)
