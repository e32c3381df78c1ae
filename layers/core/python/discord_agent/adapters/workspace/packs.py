"""Packs: file contents as concatenated zstd frames, written once, read in a few large pieces."""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from discord_agent.adapters import frames
from discord_agent.adapters.workspace.layout import pack_prefix
from discord_agent.domain.errors import WorkspaceDamaged
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.workspace import FileEntry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PACK_BYTES: Final = 64 * 1024 * 1024
"""A save larger than this goes into several packs, so that memory stays bounded."""

_GAP_BYTES: Final = 256 * 1024
"""Reading this much too much costs less than another request."""

_PIECE_BYTES: Final = 16 * 1024 * 1024
"""Large enough for S3 to be fast, small enough to hold a batch of parallel reads."""

_PARALLEL_READS: Final = 8
_PRECONDITION_FAILED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound", "InvalidRange"})


class NewFile(Struct, frozen=True):
    """A file to store: POSIX path, mode and bytes (of a link: its target)."""

    path: str
    mode: int
    content: bytes


class _Piece(Struct, frozen=True):
    """A stretch of a pack that is read with one request."""

    pack: str
    start: int
    end: int
    entries: tuple[FileEntry, ...]


class PackStore:
    """The packs of one thread."""

    def __init__(self, s3: "S3Client", bucket: str, thread: ThreadId) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._thread = thread

    def write(self, files: Iterable[NewFile], known: Mapping[str, FileEntry]) -> list[FileEntry]:
        """Store what is new and return an entry per file, in order; ``known`` finds stored content by SHA-256."""
        located = dict(known)
        hashes: list[tuple[NewFile, str]] = []
        pack = _PackWriter(pack_prefix(self._thread))
        for file in files:
            sha256 = hashlib.sha256(file.content).hexdigest()
            hashes.append((file, sha256))
            if sha256 in located or sha256 in pack.entries:
                continue
            if pack.size > PACK_BYTES:
                located |= self._finish(pack)
                pack = _PackWriter(pack_prefix(self._thread))
            pack.add(file.content, sha256)
        located |= self._finish(pack)
        return [replace(located[sha256], path=file.path, mode=file.mode) for file, sha256 in hashes]

    def read(self, entries: Sequence[FileEntry]) -> Iterator[tuple[FileEntry, bytes]]:
        """The entries' contents, verified, in no particular order; WorkspaceDamaged if one is missing or altered."""
        pieces = list(_pieces(entries))
        if len(pieces) == 1:
            yield from self._read_piece(pieces[0])
            return
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            for batch in itertools.batched(pieces, _PARALLEL_READS, strict=False):
                for contents in pool.map(self._read_piece, batch):
                    yield from contents

    def _finish(self, pack: "_PackWriter") -> dict[str, FileEntry]:
        if not pack.entries:
            return {}
        key, body, entries = pack.seal()
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            # The name is the hash of the bytes: what is there already is what we would have written.
            if error.response["Error"]["Code"] not in _PRECONDITION_FAILED:
                raise
        return entries

    def _read_piece(self, piece: _Piece) -> list[tuple[FileEntry, bytes]]:
        try:
            answer = self._s3.get_object(
                Bucket=self._bucket, Key=piece.pack, Range=f"bytes={piece.start}-{piece.end - 1}"
            )
            data = answer["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                raise WorkspaceDamaged(f"pack {piece.pack.rsplit('/', 1)[-1]:.12} is missing") from error
            raise
        return [(entry, unpack(entry, data[entry.offset - piece.start :][: entry.length])) for entry in piece.entries]


class _PackWriter:
    """A pack while it grows; its entries, by SHA-256, get a path, a mode and the pack's name later."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._frames: list[bytes] = []
        self.entries: dict[str, FileEntry] = {}
        self.size = 0

    def add(self, content: bytes, sha256: str) -> None:
        """Append a frame."""
        frame = frames.compress(content)
        self.entries[sha256] = FileEntry("", 0, len(content), sha256, "", self.size, len(frame))
        self._frames.append(frame)
        self.size += len(frame)

    def seal(self) -> tuple[str, bytes, dict[str, FileEntry]]:
        """The pack's key, its bytes and its entries."""
        body = b"".join(self._frames)
        key = self._prefix + hashlib.sha256(body).hexdigest()
        return key, body, {sha256: replace(entry, pack=key) for sha256, entry in self.entries.items()}


def unpack(entry: FileEntry, frame: bytes) -> bytes:
    """The content of one frame; WorkspaceDamaged unless it has the entry's size and hash."""
    try:
        if frames.content_size(frame) != entry.size:
            raise WorkspaceDamaged(f"{entry.path} does not have its recorded size")
        content = frames.decompress(frame, entry.size)
    except frames.DamagedFrame as error:
        raise WorkspaceDamaged(f"{entry.path} is not stored as recorded") from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise WorkspaceDamaged(f"{entry.path} does not match its hash")
    return content


def _pieces(entries: Sequence[FileEntry]) -> Iterator[_Piece]:
    by_pack: dict[str, list[FileEntry]] = defaultdict(list)
    for entry in entries:
        by_pack[entry.pack].append(entry)
    for pack, members in by_pack.items():
        members.sort(key=lambda entry: entry.offset)
        start, end, group = members[0].offset, 0, list[FileEntry]()
        for entry in members:
            stop = entry.offset + entry.length
            far = entry.offset > end + _GAP_BYTES
            large = stop > start + _PIECE_BYTES
            if group and (far or large):
                yield _Piece(pack, start, end, tuple(group))
                start, end, group = entry.offset, 0, []
            group.append(entry)
            end = max(end, stop)
        yield _Piece(pack, start, end, tuple(group))
