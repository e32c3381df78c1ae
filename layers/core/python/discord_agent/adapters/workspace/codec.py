"""Manifests as bytes: canonical JSON, compressed, and the inline form that travels in Lambda payloads.

Whatever is decoded may have been written by a sandbox, so every field is checked against the thread it is for.
"""

import base64
import binascii
import hashlib
import itertools
import json
import re
from typing import Final

import msgspec
from msgspec import DecodeError, Struct

from discord_agent.adapters import frames
from discord_agent.adapters.workspace.layout import pack_prefix
from discord_agent.domain.errors import InvalidInput, WorkspaceDamaged
from discord_agent.domain.ids import ManifestId, ThreadId
from discord_agent.domain.workspace import (
    LINK_MODE,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_PATH_BYTES,
    MAX_TREE_BYTES,
    MODES,
    SPARE_BYTES,
    SPARE_FILES,
    FileEntry,
    Manifest,
    is_excluded,
    safe_path,
)

MAX_JSON_BYTES: Final = 16 * 1024 * 1024
"""Far above what MAX_FILES entries need; keeps a hostile frame from filling the memory."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON form; a file is [path, mode, size, sha256, index of its pack, offset, length]."""

    format: int
    base: str | None
    packs: list[str]
    files: list[tuple[str, int, int, str, int, int, int]]


def canonical(manifest: Manifest, thread: ThreadId) -> bytes:
    """The JSON text whose hash is the manifest's id; files in order of path, pack names listed once."""
    files = sorted(manifest.files, key=lambda entry: entry.path)
    packs: dict[str, int] = {}
    for entry in files:
        packs.setdefault(entry.pack, len(packs))
    prefix = pack_prefix(thread)
    document = {
        "format": 1,
        "base": manifest.base,
        "packs": [key.removeprefix(prefix) for key in packs],
        "files": [
            (entry.path, entry.mode, entry.size, entry.sha256, packs[entry.pack], entry.offset, entry.length)
            for entry in files
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def encode(manifest: Manifest, thread: ThreadId) -> tuple[ManifestId, bytes]:
    """A manifest's id and compressed form."""
    text = canonical(manifest, thread)
    return ManifestId(hashlib.sha256(text).hexdigest()), frames.compress(text, level=6)


def decode(data: bytes, thread: ThreadId, *, expected: ManifestId | None = None) -> Manifest:
    """The manifest in ``data``; WorkspaceDamaged if it is malformed, or not the ``expected`` one."""
    text = _decompress(data)
    if expected is not None and hashlib.sha256(text).hexdigest() != expected:
        raise WorkspaceDamaged(f"manifest {expected:.12} does not match its hash")
    try:
        document = msgspec.json.decode(text, type=_Document)
    except (DecodeError, UnicodeDecodeError) as error:
        raise WorkspaceDamaged(f"malformed manifest: {error}") from error
    prefix = pack_prefix(thread)
    try:
        packs = [prefix + _pack_name(name) for name in document.packs]
        entries = tuple(_entry(fields, packs) for fields in document.files)
        check(Manifest(entries, document.base))
    except InvalidInput as error:
        raise WorkspaceDamaged(f"malformed manifest: {error}") from error
    return Manifest(entries, document.base)


def inline(manifest: Manifest, thread: ThreadId) -> str:
    """A manifest as text for a JSON payload."""
    return base64.b64encode(encode(manifest, thread)[1]).decode("ascii")


def from_inline(text: str, thread: ThreadId) -> Manifest:
    """The manifest in a JSON payload; WorkspaceDamaged if it is malformed."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise WorkspaceDamaged("malformed manifest: not base64") from error
    return decode(data, thread)


def check(manifest: Manifest) -> None:
    """Raise InvalidInput unless a manifest keeps every rule of the workspace."""
    paths = [entry.path for entry in manifest.files]
    if len(paths) > MAX_FILES + SPARE_FILES:
        raise InvalidInput(f"{len(paths)} files, at most {MAX_FILES} fit into a workspace")
    if sum(entry.size for entry in manifest.files) > MAX_TREE_BYTES + SPARE_BYTES:
        raise InvalidInput(f"the workspace is larger than {MAX_TREE_BYTES >> 20} MB")
    if any(first >= second for first, second in itertools.pairwise(paths)):
        raise InvalidInput("paths are not in order or not unique")
    known = set(paths)
    for path in paths:
        parents = parents_of(path)
        if not known.isdisjoint(parents):
            raise InvalidInput(f"a file lies inside another file: {path!r:.80}")
    if manifest.base is not None and not _COMMIT.fullmatch(manifest.base):
        raise InvalidInput("the base is not a commit")


def parents_of(path: str) -> list[str]:
    """The folders above a path, outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _pack_name(name: str) -> str:
    if not _SHA256.fullmatch(name):
        raise InvalidInput(f"not a pack's name: {name!r:.80}")
    return name


def _entry(fields: tuple[str, int, int, str, int, int, int], packs: list[str]) -> FileEntry:
    path, mode, size, sha256, pack, offset, length = fields
    clean = safe_path(path) == path and not is_excluded(path) and len(path.encode()) <= MAX_PATH_BYTES
    sized = 0 <= size <= MAX_FILE_BYTES and (mode != LINK_MODE or size <= 4096)
    located = 0 <= pack < len(packs) and offset >= 0 and 0 < length <= 2 * MAX_FILE_BYTES
    if not (clean and sized and located and mode in MODES and _SHA256.fullmatch(sha256)):
        raise InvalidInput(f"not a file of a workspace: {path!r:.80}")
    return FileEntry(path, mode, size, sha256, packs[pack], offset, length)


def _decompress(data: bytes) -> bytes:
    try:
        size = frames.content_size(data)
        if size is None or size > MAX_JSON_BYTES:
            raise WorkspaceDamaged("malformed manifest: too large, or of unknown size")
        return frames.decompress(data, size)
    except frames.DamagedFrame as error:
        raise WorkspaceDamaged("malformed manifest: not a zstd frame") from error
