"""``python searching.py PATTERN PATH``: grep where ripgrep is missing.

A program of its own, so that a pattern that takes for ever can be stopped. Exit status as of grep: 0 if lines
match, 1 if none does, 2 for a bad pattern.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_EXCLUDED = frozenset(
    {".git", "node_modules", "__pycache__", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
)
"""Like domain.workspace.EXCLUDED_NAMES, which cannot be imported here; a test holds the two together."""

_LARGEST = 4 * 1024 * 1024
_COLUMNS = 300


def main(pattern: str, where: str) -> int:
    """Print ``path:line number:line`` for every line that matches."""
    try:
        regex = re.compile(pattern)
    except re.error as error:
        sys.stdout.write(f"not a regular expression: {error}\n")
        return 2
    found = False
    for path in _files(Path(where)):
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if regex.search(line):
                found = True
                sys.stdout.write(f"{path.as_posix()}:{number}:{line[:_COLUMNS]}\n")
    return 0 if found else 1


def _files(where: Path) -> Iterator[Path]:
    if where.is_file():
        yield where
    for name, folders, files in os.walk(where):
        folders[:] = sorted(set(folders) - _EXCLUDED)
        for file in sorted(files):
            path = Path(name) / file
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
                yield path


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # it is a text stream here
    sys.exit(main(sys.argv[1], sys.argv[2]))
