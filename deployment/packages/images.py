"""The folders that container images are built from: a Dockerfile and exactly the files that it copies."""

import re
import shutil
from pathlib import Path
from typing import Final

from deployment.packages.archive import files

DOCKERFILES: Final = {
    "sandbox": "functions/sandbox/Dockerfile",
    "gateway_bridge": "gateway_bridge/Dockerfile",
}
"""The Dockerfile of each image; all copy from the repository's root."""

_COPY: Final = re.compile(r"^COPY ([^-\s]\S*) \S+$", re.MULTILINE)


def write_contexts(root: Path, target: Path) -> None:
    """Write every folder anew; dates are the epoch's, so that a builder's cache sees only what changed."""
    for name, dockerfile in DOCKERFILES.items():
        folder = target / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        text = (root / dockerfile).read_text(encoding="utf-8")
        (folder / "Dockerfile").write_text(text, encoding="utf-8")
        for source in copied(text):
            _copy(root / source, folder / source)


def copied(dockerfile: str) -> list[str]:
    """What a Dockerfile copies from its build context."""
    return _COPY.findall(dockerfile)


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return
    for path in files(source):
        if "__pycache__" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
