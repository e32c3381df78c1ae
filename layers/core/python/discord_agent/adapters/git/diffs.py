"""What a commit changes, for people."""

import io
from collections.abc import Iterable
from typing import Final

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID
from dulwich.patch import write_object_diff
from msgspec import Struct

from discord_agent.adapters.git.trees import Leaves, leaves
from discord_agent.ports import Diff

_MAX_BYTES: Final = 8 * 1024 * 1024
"""What Discord takes as one attachment from a bot, with room to spare."""

_RUN_BY_THEMSELVES: Final = (
    ".github/workflows/",
    ".github/actions/",
    ".gitlab-ci",
    ".circleci/",
    ".husky/",
    "Jenkinsfile",
)
_GIT_CONFIGURATION: Final = frozenset({".gitmodules", ".gitattributes"})
_MOST_DELICATE: Final = 5
"""More need not be named: whoever sees these looks at the diff."""


class Changes(Struct, frozen=True):
    """The files a commit changes, in order of path, those of them that deserve a close look, and the diff."""

    files: tuple[str, ...]
    delicate: tuple[str, ...]
    diff: Diff


def changes_between(store: BaseObjectStore, old: ObjectID, new: ObjectID) -> Changes:
    """Compare two trees."""
    before, after = leaves(store, old), leaves(store, new)
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    text = io.BytesIO()
    for path in paths:
        write_object_diff(text, store, _side(path, before), _side(path, after))
        if text.tell() > _MAX_BYTES:
            text.truncate(_MAX_BYTES)
            text.seek(0, io.SEEK_END)
            text.write(b"\n[the diff goes on; see the branch]\n")
            break
    data = text.getvalue()
    names = tuple(path.decode("utf-8", "replace") for path in paths)
    delicate = tuple(name for name in names if _deserves_a_look(name))[:_MOST_DELICATE]
    return Changes(names, delicate, Diff(_summary(names, delicate, data), data.decode("utf-8", "replace")))


def _side(path: bytes, tree: Leaves) -> tuple[bytes | None, int | None, ObjectID | None]:
    if path not in tree:
        return None, None, None
    mode, sha = tree[path]
    return path, mode, sha


def _summary(names: tuple[str, ...], delicate: tuple[str, ...], diff: bytes) -> str:
    added, removed = _counted(diff)
    files = f"{len(names)} file{'s' if len(names) != 1 else ''} changed, +{added} −{removed}"  # noqa: RUF001
    return f"{files}; look closely at {', '.join(delicate)}" if delicate else files


def _deserves_a_look(name: str) -> bool:
    """Files that change what runs elsewhere: continuous integration, hooks, git's own settings."""
    return name.startswith(_RUN_BY_THEMSELVES) or name.rpartition("/")[2] in _GIT_CONFIGURATION


def _counted(diff: bytes) -> tuple[int, int]:
    added = removed = 0
    for line in _inside_hunks(diff.split(b"\n")):
        added += line.startswith(b"+")
        removed += line.startswith(b"-")
    return added, removed


def _inside_hunks(lines: Iterable[bytes]) -> Iterable[bytes]:
    inside = False
    for line in lines:
        if line.startswith(b"diff --git "):
            inside = False
        elif line.startswith(b"@@"):
            inside = True
        elif inside:
            yield line
