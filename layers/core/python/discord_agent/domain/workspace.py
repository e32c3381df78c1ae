"""The content-addressed workspace: which file has which content, and where that content lies."""

import re
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ManifestId

EXCLUDED_NAMES = frozenset(
    {".git", "node_modules", "__pycache__", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
)
"""Folder names never saved: caches and dependencies that can be made again, and git's own folder."""

AGENT_FOLDER = ".agent"
"""The agent's own files inside a workspace (plans, long outputs, test reports): saved, never committed."""

FILE_MODE: Final = 0o644
EXECUTABLE_MODE: Final = 0o755
LINK_MODE: Final = 0o120000
MODES: Final = frozenset({FILE_MODE, EXECUTABLE_MODE, LINK_MODE})

MAX_FILES: Final = 20_000
"""So that a manifest (about 70 compressed bytes per file) always fits into one Lambda payload of 6 MB, in base64."""

MAX_FILE_BYTES: Final = 32 * 1024 * 1024
"""So that a function of 1 GB can hold a file, its compressed form and its neighbours at once."""

MAX_PATH_BYTES: Final = 900
"""So that the key of a published file stays within S3's 1024 bytes."""

MAX_TREE_BYTES: Final = 256 * 1024 * 1024
"""Half of Lambda's default temporary storage: the other half is for git, caches and what commands write."""

SPARE_FILES: Final = 1000
SPARE_BYTES: Final = 64 * 1024 * 1024
"""What trusted steps may add to a workspace that commands filled: plans, uploads, the diff of a commit."""


class FileEntry(Struct, frozen=True):
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


class Manifest(Struct, frozen=True):
    """A whole workspace at one moment; ``base`` is the git commit it started from, if any."""

    files: tuple[FileEntry, ...] = ()
    base: str | None = None

    def by_path(self) -> dict[str, FileEntry]:
        """The files by path."""
        return {entry.path: entry for entry in self.files}


class Head(Struct, frozen=True):
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


def is_excluded(path: str) -> bool:
    """Whether ``path`` lies in (or is) a folder that is never saved."""
    return not EXCLUDED_NAMES.isdisjoint(path.split("/"))


_SECRET_NAMES = frozenset(
    {".env", ".netrc", ".pypirc", ".git-credentials", ".htpasswd", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"}
)
_SECRET_SUFFIXES = (".pem", ".key", ".p12", ".pfx", ".jks", ".keystore")
_SECRET_FOLDERS = frozenset({".aws", ".docker", ".gnupg", ".kube", ".ssh"})
_EXAMPLE_SUFFIXES = (".example", ".sample", ".template", ".dist")


def looks_secret(path: str) -> bool:
    """Whether a file's name says that it holds credentials.

    Such a file is neither saved nor committed when a command made it, nor published. What people upload or a
    repository already tracks is theirs to share, and stays.
    """
    pure = PurePosixPath(path.lower())
    named = pure.name in _SECRET_NAMES or pure.name.endswith(_SECRET_SUFFIXES)
    environment = pure.name.startswith(".env.") and not pure.name.endswith(_EXAMPLE_SUFFIXES)
    return named or environment or not _SECRET_FOLDERS.isdisjoint(pure.parts[:-1])


def link_stays_inside(path: str, target: str) -> bool:
    """Whether a symbolic link at ``path`` can only lead to places inside the workspace.

    Only leading ``..`` count as inside: after a name, which may be a link itself, ``..`` could lead anywhere.
    """
    parts = target.split("/")
    climbs = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    relative = bool(target) and not target.startswith("/") and "\\" not in target and not _CONTROL.search(target)
    return relative and climbs <= path.count("/") and ".." not in parts[climbs:] and ".git" not in parts
