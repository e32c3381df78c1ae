"""The port Workspaces on S3.

A save races like this; only one of two writers that read the same head can win::

    writer A   head(etag 1) ──── put manifest ──── put head If-Match 1 ── ok, etag 2
    writer B   head(etag 1) ──────── put manifest ────────── put head If-Match 1 ── 412 → Conflict
"""

import json
import mimetypes
from collections.abc import Iterable, Mapping
from copy import replace
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from discord_agent.adapters.workspace.codec import check, decode, encode, parents_of
from discord_agent.adapters.workspace.layout import head_key, manifest_key, published_key, thread_prefix
from discord_agent.adapters.workspace.packs import NewFile, PackStore
from discord_agent.domain.errors import Conflict, InvalidInput, WorkspaceDamaged
from discord_agent.domain.ids import ManifestId, ThreadId
from discord_agent.domain.workspace import (
    FILE_MODE,
    LINK_MODE,
    MAX_FILE_BYTES,
    Head,
    Manifest,
    is_excluded,
    looks_secret,
    safe_path,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_DELETE_BATCH: Final = 1000
"""What S3 deletes with one request at most."""


class S3Workspaces:
    """Workspaces in one bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def head(self, thread: ThreadId) -> Head | None:
        """The current manifest's id and etag; None for a new thread."""
        found = self._get(head_key(thread))
        if found is None:
            return None
        body, etag = found
        return Head(ManifestId(str(json.loads(body)["manifest"])), etag)

    def load(self, thread: ThreadId, manifest: ManifestId) -> Manifest:
        """A manifest, current or old; WorkspaceDamaged if it is missing or altered."""
        found = self._get(manifest_key(thread, manifest))
        if found is None:
            raise WorkspaceDamaged(f"manifest {manifest:.12} is missing")
        return decode(found[0], thread, expected=manifest)

    def save(self, thread: ThreadId, manifest: Manifest, *, expected: Head | None) -> Head:
        """Store a manifest and make it current if ``expected`` still is; Conflict otherwise."""
        manifest = _ordered(manifest)
        check(manifest)
        manifest_id, body = encode(manifest, thread)
        # Named by its hash, so whatever is there already is the same.
        self._put_if(manifest_key(thread, manifest_id), body, expected=None)
        # The chain of etags makes every head's bytes, hence its etag, different: going back to an old
        # manifest does not bring back an old etag.
        pointer = json.dumps({"manifest": manifest_id, "previous": expected.etag if expected else None}).encode()
        etag = self._put_if(head_key(thread), pointer, expected=expected)
        if etag is not None:
            return Head(manifest_id, etag)
        found = self._get(head_key(thread))
        # A put that was retried after its answer got lost finds its own head.
        if found is not None and found[0] == pointer:
            return Head(manifest_id, found[1])
        raise Conflict(f"the workspace of thread {thread} was saved by somebody else")

    def add_files(self, thread: ThreadId, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """A manifest with files added or replaced; InvalidInput for a bad path or a file over the limit.

        A file, link or folder in the way gives way: commands could block the agent's own folder for ever otherwise.
        """
        new = []
        for path, content in files.items():
            clean = safe_path(path)
            if is_excluded(clean) or len(content) > MAX_FILE_BYTES:
                raise InvalidInput(f"not a file for a workspace (excluded folder or too large): {path!r:.80}")
            new.append(NewFile(clean, FILE_MODE, content))
        known = {entry.sha256: entry for entry in manifest.files}
        entries = PackStore(self._s3, self._bucket, thread).write(new, known)
        added = {entry.path: entry for entry in entries}
        folders = {parent for path in added for parent in parents_of(path)}
        kept = {
            path: entry
            for path, entry in manifest.by_path().items()
            if path not in folders and added.keys().isdisjoint(parents_of(path))
        }
        merged = kept | added
        result = _ordered(replace(manifest, files=tuple(merged.values())))
        check(result)
        return result

    def read(self, thread: ThreadId, manifest: Manifest, path: str) -> bytes:
        """One file's bytes; InvalidInput if the manifest has no such file."""
        entry = manifest.by_path().get(safe_path(path))
        if entry is None or entry.mode == LINK_MODE:
            raise InvalidInput(f"no such file in the workspace: {path!r:.80}")
        [(_, content)] = PackStore(self._s3, self._bucket, thread).read([entry])
        return content

    def publish(self, thread: ThreadId, manifest: Manifest, paths: Iterable[str]) -> None:
        """Copy files to ``files/``; links, what looks secret, and paths the manifest does not have are left out."""
        files = manifest.by_path()
        wanted = [files[path] for path in dict.fromkeys(paths) if path in files and not looks_secret(path)]
        entries = [entry for entry in wanted if entry.mode != LINK_MODE]
        for entry, content in PackStore(self._s3, self._bucket, thread).read(entries):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=published_key(thread, entry.path),
                Body=content,
                ContentType=mimetypes.guess_type(entry.path)[0] or "application/octet-stream",
                # A page that a model wrote must not run on the bucket's origin.
                ContentDisposition="attachment",
            )

    def delete(self, thread: ThreadId) -> None:
        """Remove everything of a thread, old versions included."""
        # The first page each time, of at most the 1000 objects that one request deletes, until there is none.
        while batch := self._first_versions(thread):
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                raise WorkspaceDamaged(f"{len(errors)} objects were not deleted: {errors[0].get('Code')}")

    def _first_versions(self, thread: ThreadId) -> "list[ObjectIdentifierTypeDef]":
        page = self._s3.list_object_versions(Bucket=self._bucket, Prefix=thread_prefix(thread))
        found: list[ObjectIdentifierTypeDef] = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        return found[:_DELETE_BATCH]

    def _get(self, key: str) -> tuple[bytes, str] | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return None
        return answer["Body"].read(), answer["ETag"]

    def _put_if(self, key: str, body: bytes, *, expected: Head | None) -> str | None:
        """Write if the object is still as expected (None: absent); its new etag, or None if it is not."""
        try:
            if expected is None:
                return self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")["ETag"]
            return self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfMatch=expected.etag)["ETag"]
        except ClientError as error:
            # 404: the object that If-Match names is gone.
            if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}:
                return None
            raise


def _ordered(manifest: Manifest) -> Manifest:
    return replace(manifest, files=tuple(sorted(manifest.files, key=lambda entry: entry.path)))
