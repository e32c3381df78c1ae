"""Three-way merge of trees, file by file; text is merged line by line, anything else is never mixed."""

from typing import Final

from dulwich.index import commit_tree
from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, ObjectID
from merge3 import Merge3
from msgspec import Struct

from discord_agent.adapters.git.trees import Leaf, Leaves, leaves

_REGULAR: Final = frozenset({0o100644, 0o100664, 0o100755})


class Merged(Struct, frozen=True):
    """The merged tree, or the paths that clash."""

    tree: ObjectID | None
    conflicts: tuple[str, ...]


def merge_trees(store: BaseObjectStore, base: ObjectID | None, ours: ObjectID, theirs: ObjectID) -> Merged:
    """Merge the changes from ``base`` to ``theirs`` into ``ours``."""
    origin = leaves(store, base) if base is not None else {}
    left, right = leaves(store, ours), leaves(store, theirs)
    merged: Leaves = {}
    conflicts: list[bytes] = []
    for path in sorted(origin.keys() | left.keys() | right.keys()):
        before, one, other = origin.get(path), left.get(path), right.get(path)
        if other in (one, before):
            result = one
        elif one == before:
            result = other
        else:
            result = _merge_contents(store, before, one, other)
            if result is None:
                conflicts.append(path)
        if result is not None:
            merged[path] = result
    conflicts += [path for path in merged if not merged.keys().isdisjoint(_parents(path))]
    if conflicts:
        return Merged(None, tuple(path.decode("utf-8", "replace") for path in sorted(set(conflicts))))
    return Merged(commit_tree(store, ((path, sha, mode) for path, (mode, sha) in merged.items())), ())


def _merge_contents(store: BaseObjectStore, before: Leaf | None, one: Leaf | None, other: Leaf | None) -> Leaf | None:
    """Both sides changed a file: the merged file, or None if that takes a person."""
    if before is None or one is None or other is None or {before[0], one[0], other[0]} - _REGULAR:
        return None
    texts = [_lines(store, leaf[1]) for leaf in (before, one, other)]
    if any(text is None for text in texts):
        return None
    merge = Merge3(*texts)
    if any(group[0] == "conflict" for group in merge.merge_groups()):
        return None
    blob = Blob.from_string(b"".join(merge.merge_lines()))
    store.add_object(blob)
    mode = other[0] if one[0] == before[0] else one[0]
    return mode, blob.id


def _lines(store: BaseObjectStore, sha: ObjectID) -> list[bytes] | None:
    """The lines of a text; None for anything else."""
    blob = store[sha]
    if not isinstance(blob, Blob) or b"\0" in blob.data[:8192]:
        return None
    return blob.data.splitlines(keepends=True)


def _parents(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:depth]) for depth in range(1, len(parts))]
