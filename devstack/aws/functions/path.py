"""The PATH of a zip function: Python and nothing else, as in Lambda's managed runtime."""

import sys
from pathlib import Path
from typing import Final

_NAMES: Final = ("python", "python3", f"python{sys.version_info.major}.{sys.version_info.minor}")


def python_only(folder: Path) -> str:
    """Make a folder whose programs are this interpreter with all its packages; the value for PATH."""
    programs = folder / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    running = Path(sys.executable)
    for name in _NAMES:
        _link(programs / name, running.resolve() if _is_virtual() else running)
    if _is_virtual():
        # A link into a virtual environment is not recognised as one; its own layout around the link is.
        environment = Path(sys.prefix)
        (folder / "pyvenv.cfg").write_text((environment / "pyvenv.cfg").read_text(encoding="utf-8"), encoding="utf-8")
        _link(folder / "lib", environment / "lib")
    return str(programs)


def plain_python(folder: Path) -> str:
    """Make a folder whose programs are this interpreter without any packages; the value for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _NAMES:
        _link(folder / name, Path(sys.executable).resolve())
    return str(folder)


def _is_virtual() -> bool:
    return sys.prefix != sys.base_prefix


def _link(link: Path, target: Path) -> None:
    if link.is_symlink():
        link.unlink()
    link.symlink_to(target)
