"""Repositories as bundles in the bucket: the whole one of a thread without a remote, and the sandbox's copy."""

import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from dulwich.bundle import create_bundle_from_repo, read_bundle, write_bundle
from dulwich.objects import Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from discord_agent.adapters.git.names import head_ref
from discord_agent.adapters.git.origins import Change, Moved, Opened
from discord_agent.adapters.git.signing import sign
from discord_agent.adapters.workspace.layout import repository_bundle_key
from discord_agent.domain.errors import RepositoryRefused
from discord_agent.domain.ids import ThreadId, snowflake_time_ms

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAIN: Final = head_ref("main")


class BundleOrigin:
    """The repository of a thread that has no remote; it starts with an empty commit."""

    def __init__(self, s3: "S3Client", bucket: str, thread: ThreadId) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._thread = thread
        self._key = repository_bundle_key(thread)
        self._etag: str | None = None

    @contextmanager
    def opened(
        self,
        wanted: Iterable[ObjectID],  # noqa: ARG002 - a bundle is read as a whole
        branch: str = "",  # noqa: ARG002
        *,
        history: bool = True,  # noqa: ARG002
    ) -> Iterator[Opened]:
        """The repository with all its refs."""
        data = self._download()
        with tempfile.TemporaryDirectory() as folder, Repo.init_bare(folder) as repo:
            refs = {MAIN: self._first_commit(repo)} if data is None else unpack_bundle(data, repo)
            yield Opened(repo, refs, MAIN)

    def push(self, opened: Opened, changes: Iterable[Change]) -> None:
        """Write the bundle anew with refs moved; Conflict if somebody else wrote it since it was opened."""
        refs = dict(opened.refs)
        for change in changes:
            if refs.get(change.ref) != change.old:
                raise Moved(f"{change.ref.decode('utf-8', 'replace')} has moved")
            if change.new is None:
                refs.pop(change.ref, None)
            else:
                refs[change.ref] = change.new
        self._upload(pack_bundle(opened.repo, refs))
        opened.refs.clear()
        opened.refs.update(refs)

    def _first_commit(self, repo: Repo) -> ObjectID:
        """An empty commit that is the same whenever it is made, so that it need not be stored."""
        tree = Tree()
        commit = Commit()
        commit.tree = tree.id
        sign(commit, snowflake_time_ms(self._thread) // 1000)
        commit.message = b"Start with nothing\n"
        repo.object_store.add_object(tree)
        repo.object_store.add_object(commit)
        return commit.id

    def _download(self) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._key)
        except self._s3.exceptions.NoSuchKey:
            self._etag = None
            return None
        self._etag = answer["ETag"]
        return answer["Body"].read()

    def _upload(self, data: bytes) -> None:
        try:
            if self._etag is None:
                answer = self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=data, IfNoneMatch="*")
            else:
                answer = self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=data, IfMatch=self._etag)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}:
                raise Moved("the repository of the thread was changed by somebody else") from error
            raise
        self._etag = answer["ETag"]


def bundle_of(repo: Repo, ref: Ref, sha: ObjectID) -> bytes:
    """A bundle in which ``ref`` leads to ``sha``; what was just fetched as one pack is taken as it is."""
    packs = repo.object_store.packs
    fetched = len(packs) == 1 and sha in packs[0]
    if not fetched:
        return pack_bundle(repo, {ref: sha})
    return b"# v2 git bundle\n" + sha + b" " + ref + b"\n\n" + Path(packs[0].data.path).read_bytes()


def pack_bundle(repo: Repo, refs: Mapping[Ref, ObjectID]) -> bytes:
    """A bundle with exactly these refs and all they lead to."""
    for ref in list(repo.refs.allkeys()):
        repo.refs.remove_if_equals(ref, None)
    for ref, sha in refs.items():
        repo.refs[ref] = sha
    target = io.BytesIO()
    with create_bundle_from_repo(repo, refs=sorted(refs)) as bundle:
        write_bundle(target, bundle)
    return target.getvalue()


def unpack_bundle(data: bytes, repo: Repo) -> dict[Ref, ObjectID]:
    """Add a bundle's objects to a repository; its refs. RepositoryRefused if it is not a bundle."""
    try:
        with read_bundle(io.BytesIO(data)) as bundle:
            refs = dict(bundle.references)
        # The objects follow the header's empty line as one pack.
        source, commit, abort = repo.object_store.add_pack()
        try:
            source.write(data[data.index(b"\n\n") + 2 :])
        except BaseException:
            abort()
            raise
        commit()
    except (AssertionError, ValueError, KeyError) as error:
        raise RepositoryRefused("the repository of the thread is damaged") from error
    return refs
