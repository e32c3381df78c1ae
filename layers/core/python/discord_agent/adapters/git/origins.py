"""Where a repository comes from and goes to: a git host, or a bundle in the bucket."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from dulwich.objects import Commit, ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo
from msgspec import Struct

from discord_agent.domain.errors import Conflict, RepositoryRefused


class Moved(Conflict):
    """A ref is not where it was: look again, then decide again."""


class Opened(Struct, frozen=True):
    """A repository of our own with what was fetched; ``refs`` are the origin's, ``main`` is its default branch."""

    repo: Repo
    refs: dict[Ref, ObjectID]
    main: Ref

    @property
    def tip(self) -> ObjectID:
        """The commit that the default branch points to."""
        return self.refs[self.main]

    def commit(self, sha: ObjectID) -> Commit:
        """A commit; RepositoryRefused if the origin does not have it."""
        found = self.find(sha)
        if found is None:
            raise RepositoryRefused(f"the repository has no commit {sha.decode('ascii', 'replace'):.12}")
        return found

    def find(self, sha: ObjectID) -> Commit | None:
        """A commit, if it was fetched."""
        try:
            found = self.repo.object_store[sha]
        except KeyError:
            return None
        return found if isinstance(found, Commit) else None


class Change(Struct, frozen=True):
    """A ref to move from ``old`` to ``new``; None stands for a ref that does not exist."""

    ref: Ref
    old: ObjectID | None
    new: ObjectID | None


class Origin(Protocol):
    """Fetches and pushes. Errors: RepositoryUnavailable, RepositoryRefused, Conflict."""

    def opened(
        self, wanted: Iterable[ObjectID], branch: str = "", *, history: bool = True
    ) -> AbstractContextManager[Opened]:
        """A fresh repository with the default branch, ``branch`` and its numbered names, and the ``wanted`` commits.

        A wanted commit is there if it belongs to the default branch or is the tip of another ref. Without
        ``history`` the wanted commits and the branch suffice, and their ancestors may be missing.
        """

    def push(self, opened: Opened, changes: Iterable[Change]) -> None:
        """Move refs, each only from its old value; Moved if one has another value."""
