"""Installed libraries shown one by one, to programs that may see no others."""

from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from devstack.aws.errors import StackError

RUNTIME: Final = (
    "awslambdaric",
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot-restore-py",
    "urllib3",
)
"""What Lambda's Python runtime brings: itself, and the SDK."""


def shown(names: Iterable[str], folder: Path) -> Path:
    """A folder in which only the distributions of these names can be imported; StackError when one is not installed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        found = _installed(name)
        for part in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            link = folder / part
            if not link.is_symlink():
                link.symlink_to(Path(str(found.locate_file(part))))
    return folder


def pinned(requirements: Path) -> list[str]:
    """The distributions that a requirements file pins; StackError when another version of one is installed here."""
    lines = [line.split()[0] for line in requirements.read_text(encoding="utf-8").splitlines() if line[:1].isalnum()]
    pins = dict(line.split("==", 1) for line in lines)
    wrong = [f"{name} {pin}, not {_installed(name).version}" for name, pin in pins.items() if _differs(name, pin)]
    if wrong:
        raise StackError(f"{requirements.name} wants {', '.join(wrong)}: run `make setup` and build the images anew")
    return list(pins)


def _differs(name: str, pin: str) -> bool:
    return _installed(name).version != pin


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise StackError(f"{name} is not installed here: run `make setup`") from error
