"""The port Repositories: check out, commit, merge and drop, all in repositories of our own."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dulwich.graph import can_fast_forward, find_merge_base
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID
from dulwich.walk import ORDER_TOPO, Walker

from discord_agent.adapters.git.bundles import MAIN, BundleOrigin, bundle_of
from discord_agent.adapters.git.diffs import changes_between
from discord_agent.adapters.git.leaks import FindLeaks, leaks_between
from discord_agent.adapters.git.merging import merge_trees
from discord_agent.adapters.git.names import branch_name, dropped_ref, head_ref, numbered
from discord_agent.adapters.git.origins import Change, Moved, Opened, Origin
from discord_agent.adapters.git.remote import RemoteOrigin
from discord_agent.adapters.git.signing import sign
from discord_agent.adapters.git.trees import build_tree, leaves, workspace_files
from discord_agent.adapters.workspace.layout import base_bundle_key
from discord_agent.adapters.workspace.packs import PackStore
from discord_agent.domain.errors import Conflict, RepositoryUnavailable, SecretsFound
from discord_agent.domain.ids import CommitSha, ThreadId
from discord_agent.domain.run import Commit
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Checkout, Clock, Diff

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PUSH_ATTEMPTS: Final = 3
_MOST_BRANCHES: Final = 50
"""Names tried for one branch before giving up."""


class DulwichRepositories:
    """Repositories on git hosts, reached with the logins of ``secret``, and in bundles in the bucket."""

    def __init__(
        self, s3: "S3Client", bucket: str, clock: Clock, secret: Callable[[], str], find_leaks: FindLeaks
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._clock = clock
        self._secret = secret
        self._find_leaks = find_leaks

    def checkout(self, thread: ThreadId, source: str, *, commit: CommitSha | None) -> Checkout:
        """Fetch ``commit`` (None: the tip of main), store its files as packs and the bundle the sandbox clones."""
        wanted = [_id(commit)] if commit is not None else []
        with self._origin(thread, source).opened(wanted) as opened:
            base = opened.commit(wanted[0] if wanted else opened.tip)
            files = workspace_files(opened.repo.object_store, base.tree)
            entries = PackStore(self._s3, self._bucket, thread).write(files, {})
            bundle = bundle_of(opened.repo, MAIN, base.id)
        self._s3.put_object(Bucket=self._bucket, Key=base_bundle_key(thread), Body=bundle)
        sha = _sha(base.id)
        ordered = tuple(sorted(entries, key=lambda entry: entry.path))
        return Checkout(Manifest(ordered, base=sha), sha)

    def commit(
        self, thread: ThreadId, source: str, *, manifest: Manifest, base: CommitSha, branch: str, message: str
    ) -> tuple[Commit, Diff] | None:
        """Commit the manifest's files on a new branch (a number is added if the name is taken); None if nothing changed.

        Repeated, it finds the branch it made before. SecretsFound if it would publish some, RepositoryUnavailable
        while others keep taking the names.
        """
        try:
            return _persistently(
                lambda: self._commit_once(thread, source, manifest, base, branch_name(branch), message)
            )
        except Moved as error:
            raise RepositoryUnavailable(f"other runs took the names of the branch {branch}") from error

    def _commit_once(
        self, thread: ThreadId, source: str, manifest: Manifest, base: CommitSha, name: str, message: str
    ) -> tuple[Commit, Diff] | None:
        origin = self._origin(thread, source)
        with origin.opened([_id(base)], name, history=False) as opened:
            store = opened.repo.object_store
            parent = opened.commit(_id(base))
            contents = PackStore(self._s3, self._bucket, thread).read(manifest.files)
            tree = build_tree(store, parent.tree, contents, (entry.path for entry in manifest.files))
            if tree == parent.tree:
                return None
            found = leaks_between(store, leaves(store, parent.tree), leaves(store, tree), self._find_leaks)
            if found:
                raise SecretsFound(found)
            changes = changes_between(store, parent.tree, tree)
            made = self._new_commit(opened, tree, [parent.id], message)
            name, sha = _publish(origin, opened, name, made)
        return Commit(sha, name, message, changes.files, base, changes.delicate), changes.diff

    def merge(self, thread: ThreadId, source: str, commit: Commit, *, message: str) -> CommitSha:
        """Merge a branch into main without fast-forward and delete it; Conflict names the files that clash.

        Repeated, it finds the merge it made before. Conflict also if the branch is not at the commit that was shown.
        """
        return _persistently(lambda: self._merge_once(self._origin(thread, source), commit, message))

    def _merge_once(self, origin: Origin, commit: Commit, message: str) -> CommitSha:
        ref, shown = head_ref(commit.branch), _id(commit.sha)
        with origin.opened([shown]) as opened:
            tip = opened.refs.get(ref)
            if tip is not None and tip != shown:
                raise Conflict(f"the branch {commit.branch} has moved since it was shown")
            merged = _merge_of(opened, shown)
            if merged is None:
                if tip is None:
                    raise Conflict(f"the branch {commit.branch} is gone")
                merged = self._merge(opened, shown, message)
                origin.push(opened, [Change(opened.main, opened.tip, merged)])
            if tip is not None:
                # Somebody who moved the branch in this moment keeps what is new on it.
                with suppress(Moved):
                    origin.push(opened, [Change(ref, shown, None)])
            return _sha(merged)

    def drop(self, thread: ThreadId, source: str, commit: Commit) -> None:
        """Delete a branch, keeping its commit under ``refs/dropped/``; done already is fine, moved is a Conflict."""
        origin, ref, shown = self._origin(thread, source), head_ref(commit.branch), _id(commit.sha)
        kept = dropped_ref(commit.branch, commit.sha)
        with origin.opened([shown]) as opened:
            if ref not in opened.refs:
                return
            if opened.refs[ref] != shown:
                raise Conflict(f"the branch {commit.branch} has moved since it was shown")
            # Kept first: whatever happens in between, the commit stays reachable.
            if opened.refs.get(kept) != shown:
                origin.push(opened, [Change(kept, opened.refs.get(kept), shown)])
            origin.push(opened, [Change(ref, shown, None)])

    def _origin(self, thread: ThreadId, source: str) -> Origin:
        return RemoteOrigin(source, self._secret) if source else BundleOrigin(self._s3, self._bucket, thread)

    def _merge(self, opened: Opened, theirs: ObjectID, message: str) -> ObjectID:
        ours = opened.commit(opened.tip)
        other = opened.commit(theirs)
        bases = find_merge_base(opened.repo, [ours.id, other.id])
        base = opened.commit(bases[0]).tree if bases else None
        result = merge_trees(opened.repo.object_store, base, ours.tree, other.tree)
        if result.tree is None:
            raise Conflict(f"the branch and main both changed: {', '.join(result.conflicts)}")
        return self._new_commit(opened, result.tree, [ours.id, other.id], message).id

    def _new_commit(self, opened: Opened, tree: ObjectID, parents: list[ObjectID], message: str) -> GitCommit:
        commit = GitCommit()
        commit.tree = tree
        commit.parents = parents
        sign(commit, int(self._clock.now().timestamp()))
        commit.message = message.strip().encode("utf-8", "replace") + b"\n"
        opened.repo.object_store.add_object(commit)
        return commit


def _persistently[T](attempt: Callable[[], T]) -> T:
    """The origin may move between a fetch and the push after it: what it holds then is another chance."""
    for _ in range(_PUSH_ATTEMPTS - 1):
        with suppress(Moved):
            return attempt()
    return attempt()


def _publish(origin: Origin, opened: Opened, name: str, made: GitCommit) -> tuple[str, CommitSha]:
    """Push a commit under the first free name, unless an earlier attempt already did."""
    for number in range(1, _MOST_BRANCHES + 1):
        candidate = numbered(name, number)
        taken = opened.refs.get(head_ref(candidate))
        if taken is None:
            origin.push(opened, [Change(head_ref(candidate), None, made.id)])
            return candidate, _sha(made.id)
        if _same_work(opened, taken, made):
            return candidate, _sha(taken)
    raise Conflict(f"{_MOST_BRANCHES} branches named {name} exist already")


def _same_work(opened: Opened, taken: ObjectID, made: GitCommit) -> bool:
    """Whether a branch holds what would be committed again; only its time may differ."""
    found = opened.find(taken)
    return found is not None and (found.tree, found.parents, found.author, found.message) == (
        made.tree,
        made.parents,
        made.author,
        made.message,
    )


def _merge_of(opened: Opened, shown: ObjectID) -> ObjectID | None:
    """The commit on main that brought in ``shown``; None if it is not merged."""
    if opened.find(shown) is None or not can_fast_forward(opened.repo, shown, opened.tip):
        return None
    walker = Walker(opened.repo.object_store, [opened.tip], exclude=[shown], order=ORDER_TOPO)
    found = opened.tip
    for entry in walker:
        if shown in entry.commit.parents and len(entry.commit.parents) > 1:
            found = entry.commit.id
    return found


def _id(sha: str) -> ObjectID:
    return ObjectID(sha.encode("ascii"))


def _sha(object_id: ObjectID) -> CommitSha:
    return CommitSha(object_id.decode("ascii"))
