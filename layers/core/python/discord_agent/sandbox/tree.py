"""The files of a workspace on the local disk: brought to a manifest's state, watched for changes, saved again."""

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from discord_agent.adapters.workspace.packs import NewFile
from discord_agent.domain.errors import InvalidInput, WorkspaceDamaged
from discord_agent.domain.workspace import (
    AGENT_FOLDER,
    EXCLUDED_NAMES,
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_PATH_BYTES,
    MAX_TREE_BYTES,
    FileEntry,
    Manifest,
    link_stays_inside,
    looks_secret,
    safe_path,
)

_SETTLED_NS: Final = 50_000_000
"""A file changed within this time before it was looked at may change again without a new time stamp."""

_LOOKED_AT: Final = 10 * MAX_FILES
"""Names looked at in one scan; a tree beyond that is not searched for deleted files."""


class Packs(Protocol):
    """Where contents are read from and stored."""

    def read(self, entries: list[FileEntry]) -> Iterator[tuple[FileEntry, bytes]]:
        """The entries' contents, verified."""

    def write(self, files: Iterable[NewFile], known: Mapping[str, FileEntry]) -> list[FileEntry]:
        """Store what is new and return an entry per file, in order."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was last looked at; the time stamps tell whether it must be read again."""

    mode: int
    size: int
    sha256: str
    stamp: tuple[int, int, int, int]
    at_ns: int

    def same_content(self, other: "Seen | FileEntry | None") -> bool:
        """Whether another look, or a manifest, has the same bytes and mode."""
        return other is not None and (self.mode, self.sha256) == (other.mode, other.sha256)


@dataclass(frozen=True, slots=True)
class Scan:
    """All files by path; ``skipped`` says what cannot be saved and why; incomplete when there are far too many."""

    files: dict[str, Seen]
    skipped: dict[str, str]
    complete: bool


@dataclass(slots=True)
class LocalTree:
    """A folder that mirrors a manifest between the calls of one sandbox environment."""

    root: Path
    _seen: dict[str, Seen] = field(default_factory=dict)
    _known: dict[str, FileEntry] = field(default_factory=dict)
    _last: Scan = field(default_factory=lambda: Scan({}, {}, complete=True))

    def apply(self, manifest: Manifest, packs: Packs) -> None:
        """Make the folder equal to the manifest; only what differs is read."""
        self._known.update({entry.sha256: entry for entry in manifest.files})
        wanted = manifest.by_path()
        present = self.scan(manifest).files
        extra = present.keys() - wanted.keys()
        missing = [entry for path, entry in wanted.items() if not _matches(present.get(path), entry)]
        if not extra and not missing:
            return
        for path in extra:
            self._remove(path)
        made: set[Path] = {self.root}
        for entry, content in packs.read(missing):
            self._write(entry, content, made)
        self.scan(manifest)

    def scan(self, manifest: Manifest) -> Scan:
        """Look at every file; only what changed since the last look is read."""
        self._last = _Scanner(self.root, self._seen, manifest.by_path()).scan()
        self._seen = self._last.files
        return self._last

    def changes_since(self, before: Mapping[str, Seen]) -> list[str]:
        """Paths whose content or mode differs from an earlier look, the agent's own folder left out."""
        paths = sorted(before.keys() | self._seen.keys())
        return [
            path
            for path in paths
            if path.split("/", 1)[0] != AGENT_FOLDER and not _same(before.get(path), self._seen.get(path))
        ]

    @property
    def seen(self) -> Mapping[str, Seen]:
        """The last look."""
        return self._seen

    def save(self, manifest: Manifest, packs: Packs) -> tuple[Manifest, dict[str, str]]:
        """Store what had changed at the last look; the new manifest, and what could not be saved, with the reasons.

        What could not be looked at keeps its old entry: only a file that is certainly gone leaves the manifest.
        """
        scan = self._last
        old = manifest.by_path()
        entries = {path: old[path] for path, seen in scan.files.items() if seen.same_content(old.get(path))}
        changed = [path for path in scan.files if path not in entries]
        stored = packs.write((self._new_file(path, scan.files[path]) for path in changed), self._known)
        entries |= {entry.path: entry for entry in stored}
        self._known.update({entry.sha256: entry for entry in stored})
        kept = old.keys() & scan.skipped.keys() if scan.complete else old.keys() - entries.keys()
        folders = {parent for path in entries for parent in _parents(path)}
        entries |= {
            path: old[path] for path in kept if path not in folders and entries.keys().isdisjoint(_parents(path))
        }
        return Manifest(tuple(entries[path] for path in sorted(entries)), manifest.base), scan.skipped

    def _new_file(self, path: str, seen: Seen) -> NewFile:
        return NewFile(path, seen.mode, _content(self.root / path, seen.mode))

    def _remove(self, path: str) -> None:
        target = self.root / path
        target.unlink()
        for parent in target.parents:
            if parent == self.root or any(parent.iterdir()):
                return
            parent.rmdir()

    def _write(self, entry: FileEntry, content: bytes, made: set[Path]) -> None:
        target = self.root / entry.path
        _make_folders(target.parent, made)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        if entry.mode == LINK_MODE:
            link = os.fsdecode(content)
            if not link_stays_inside(entry.path, link):
                raise WorkspaceDamaged(f"a link leads out of the workspace: {entry.path!r:.80}")
            target.symlink_to(link)
        else:
            target.write_bytes(content)
            target.chmod(entry.mode)
        stamp = _stamp(target.lstat())
        # Our own write needs no second look: commands start later than a time stamp takes to move on.
        self._seen[entry.path] = Seen(entry.mode, entry.size, entry.sha256, stamp, at_ns=stamp[1] + _SETTLED_NS + 1)


class _Scanner:
    """One look at a tree."""

    def __init__(self, root: Path, seen: Mapping[str, Seen], known: Mapping[str, FileEntry]) -> None:
        self._root = root
        self._seen = seen
        self._known = known
        self._found: dict[str, os.stat_result] = {}
        self._skipped: dict[str, str] = {}
        self._looked_at = 0

    def scan(self) -> Scan:
        self._collect(self._root, "")
        files: dict[str, Seen] = {}
        total = 0
        # Files that were saved before come first, so that new ones are what falls beyond the limits.
        for path in sorted(self._found, key=lambda path: (path not in self._known, path)):
            seen = self._look(path, self._found[path])
            if seen is None:
                continue
            if len(files) >= MAX_FILES or total + seen.size > MAX_TREE_BYTES:
                self._skipped[path] = "the workspace is full"
                continue
            total += seen.size
            files[path] = seen
        return Scan(files, self._skipped, self._looked_at <= _LOOKED_AT)

    def _collect(self, folder: Path, prefix: str) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                self._looked_at += 1
                if self._looked_at > _LOOKED_AT:
                    return
                path = f"{prefix}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in EXCLUDED_NAMES:
                        self._collect(Path(entry.path), f"{path}/")
                elif entry.name not in EXCLUDED_NAMES and self._may_save(path):
                    self._found[path] = entry.stat(follow_symlinks=False)

    def _may_save(self, path: str) -> bool:
        try:
            usable = safe_path(path) == path and len(path.encode()) <= MAX_PATH_BYTES
        except (InvalidInput, UnicodeEncodeError):
            usable = False
        if not usable:
            self._skipped[ascii(path)] = "its name cannot be stored"
        elif path not in self._known and looks_secret(path):
            self._skipped[path] = "it looks like a secret"
        return usable and path not in self._skipped

    def _look(self, path: str, status: os.stat_result) -> Seen | None:
        stamp = _stamp(status)
        mode = _mode(status)
        before = self._seen.get(path)
        if before is not None and (before.stamp, before.mode) == (stamp, mode):
            settled = status.st_ctime_ns + _SETTLED_NS < before.at_ns
            if settled:
                return before
        if mode is None:
            self._skipped[path] = "it is neither a file nor a link"
            return None
        if status.st_size > MAX_FILE_BYTES:
            self._skipped[path] = f"it is larger than {MAX_FILE_BYTES >> 20} MB"
            return None
        return self._read(path, mode, stamp)

    def _read(self, path: str, mode: int, stamp: tuple[int, int, int, int]) -> Seen | None:
        at_ns = time.time_ns()
        try:
            content = _content(self._root / path, mode)
        except OSError as error:
            self._skipped[path] = f"it cannot be read: {error.strerror}"
            return None
        if mode == LINK_MODE and not link_stays_inside(path, os.fsdecode(content)):
            self._skipped[path] = "it is a link that leads out of the workspace"
            return None
        return Seen(mode, len(content), hashlib.sha256(content).hexdigest(), stamp, at_ns)


def _mode(status: os.stat_result) -> int | None:
    if stat.S_ISLNK(status.st_mode):
        return LINK_MODE
    if not stat.S_ISREG(status.st_mode):
        return None
    return EXECUTABLE_MODE if status.st_mode & stat.S_IXUSR else FILE_MODE


def _content(target: Path, mode: int) -> bytes:
    # Path.readlink would tidy up the target, so that its hash would differ from the saved one's.
    return os.fsencode(os.readlink(target)) if mode == LINK_MODE else target.read_bytes()  # noqa: PTH115


def _stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _make_folders(folder: Path, made: set[Path]) -> None:
    """Make a folder and those above it, down from one in ``made``; links and files in the way are removed."""
    if folder in made:
        return
    _make_folders(folder.parent, made)
    made.add(folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(exist_ok=True)


def _matches(seen: Seen | None, entry: FileEntry) -> bool:
    return seen is not None and seen.same_content(entry)


def _same(one: Seen | None, other: Seen | None) -> bool:
    return one is not None and one.same_content(other)


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
