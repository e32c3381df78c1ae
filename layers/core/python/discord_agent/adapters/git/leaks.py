"""Secrets that a commit would publish: looked for in what it adds, before anything is pushed."""

from collections.abc import Callable

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob

from discord_agent.adapters.git.trees import Leaf, Leaves

type FindLeaks = Callable[[str], tuple[str, ...]]
"""The kinds of secrets in a text."""


def leaks_between(store: BaseObjectStore, before: Leaves, after: Leaves, find: FindLeaks) -> tuple[str, ...]:
    """``path: kinds`` for every changed file with secrets in lines it did not have; what is tracked already is public."""
    changed = sorted(path for path, leaf in after.items() if before.get(path) != leaf)
    found = ((path, find(_added(store, before.get(path), after[path]))) for path in changed)
    return tuple(f"{path.decode('utf-8', 'replace')}: {', '.join(kinds)}" for path, kinds in found if kinds)


def _added(store: BaseObjectStore, before: Leaf | None, after: Leaf) -> str:
    old = set(_lines(store, before)) if before else set()
    return b"".join(line for line in _lines(store, after) if line not in old).decode("utf-8", "replace")


def _lines(store: BaseObjectStore, leaf: Leaf) -> list[bytes]:
    blob = store[leaf[1]]
    return blob.data.splitlines(keepends=True) if isinstance(blob, Blob) else []
