"""The content-addressed workspace: which file has which content, and where that content lies."""

import re
from dataclasses import dataclass

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ManifestId

EXCLUDED_NAMES = frozenset(
    {".git", "node_modules", "__pycache__", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
)
"""Folder names never saved: caches and dependencies that can be made again, and git's own folder."""

AGENT_FOLDER = ".agent"
"""The agent's own files inside a workspace (plans, long outputs, test reports): saved, never committed."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: POSIX ``path`` relative to the root, ``mode`` 0o644, 0o755 or 0o120000, and where its bytes lie.

    ``pack`` is an S3 key; ``offset`` and ``length`` locate the zstd frame of this file inside it.
    """

    path: str
    mode: int
    size: int
    sha256: str
    pack: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole workspace at one moment; ``base`` is the git commit it started from, if any."""

    files: tuple[FileEntry, ...] = ()
    base: str | None = None

    def by_path(self) -> dict[str, FileEntry]:
        """The files by path."""
        return {entry.path: entry for entry in self.files}


@dataclass(frozen=True, slots=True)
class Head:
    """The current manifest of a thread; ``etag`` guards its replacement."""

    manifest_id: ManifestId
    etag: str


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def safe_path(text: str) -> str:
    """Return ``text`` as a clean relative POSIX path; raise InvalidInput if it could leave the workspace."""
    path = text.strip().replace("\\", "/").removeprefix("./")
    parts = path.split("/")
    escapes = path.startswith("/") or ".." in parts
    malformed = not path or bool(_CONTROL.search(path)) or any(not part or part == "." for part in parts)
    into_git = ".git" in parts
    if escapes or malformed or into_git:
        raise InvalidInput(f"not a path inside the workspace: {text!r:.80}")
    return path
