"""Files and git."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from discord_agent.domain.ids import (
    CommitSha,
    ManifestId,
    ThreadId,
)
from discord_agent.domain.run import Commit
from discord_agent.domain.workspace import Head, Manifest


class Workspaces(Protocol):
    """Manifests and file contents of threads. Errors: Conflict, WorkspaceDamaged."""

    def head(self, thread: ThreadId) -> Head | None:
        """The current manifest's id and etag; None for a new thread."""

    def load(self, thread: ThreadId, manifest: ManifestId) -> Manifest:
        """A manifest, current or old."""

    def save(self, thread: ThreadId, manifest: Manifest, *, expected: Head | None) -> Head:
        """Store a manifest and make it current if ``expected`` still is; Conflict otherwise."""

    def add_files(self, thread: ThreadId, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """A manifest with files added or replaced (one pack written); the head does not move."""

    def read(self, thread: ThreadId, manifest: Manifest, path: str) -> bytes:
        """One file's bytes; InvalidInput if the manifest has no such file."""

    def publish(self, thread: ThreadId, manifest: Manifest, paths: Iterable[str]) -> None:
        """Copy files to ``files/`` as plain objects for people to browse."""

    def delete(self, thread: ThreadId) -> None:
        """Remove everything of a thread."""


class Checkout(Struct, frozen=True):
    """A repository's files as a manifest, at the commit the run starts from."""

    manifest: Manifest
    base: CommitSha


class Diff(Struct, frozen=True):
    """What a commit changes: a one-line summary and the unified diff."""

    summary: str
    text: str


class Repositories(Protocol):
    """Git, by trusted steps only: never in a directory that a model wrote.

    ``source`` is the git URL of the remote, or "" for a thread without one (its history then lives in a bundle).
    Errors: RepositoryUnavailable, RepositoryRefused, Conflict (the branch or main moved).
    """

    def checkout(self, thread: ThreadId, source: str, *, commit: CommitSha | None) -> Checkout:
        """Fetch ``commit`` (None: the tip of main), store its files as packs and the bundle the sandbox clones."""

    def commit(
        self, thread: ThreadId, source: str, *, manifest: Manifest, base: CommitSha, branch: str, message: str
    ) -> tuple[Commit, Diff] | None:
        """Commit the manifest's files on a new branch (a number is added if the name is taken); None if nothing changed.

        SecretsFound, and nothing published, if what is new holds secrets.
        """

    def merge(self, thread: ThreadId, source: str, commit: Commit, *, message: str) -> CommitSha:
        """Merge a branch into main without fast-forward and delete it; Conflict names the files that clash."""

    def drop(self, thread: ThreadId, source: str, commit: Commit) -> None:
        """Delete a branch, keeping its commit under ``refs/dropped/`` so that it can be recovered."""
