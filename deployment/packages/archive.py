"""Archives whose bytes depend on nothing but the files in them: no dates, no order of a disk, no umask."""

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN: Final = 0o644
_RUNNABLE: Final = 0o755


def write_archive(folder: Path, archive: Path) -> int:
    """Pack a folder's files; the bytes they take unpacked."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    draft = archive.with_suffix(".draft")
    unpacked = 0
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | _mode(path)) << 16
            content = path.read_bytes()
            unpacked += len(content)
            packed.writestr(entry, content)
    # Whoever reads the archive finds the old one or the new one, never half of it.
    draft.replace(archive)
    return unpacked


def files(folder: Path) -> Iterator[Path]:
    """A folder's files in an order of their own."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _mode(path: Path) -> int:
    return _RUNNABLE if path.stat().st_mode & stat.S_IXUSR else _PLAIN
