"""Between git's trees and the workspace's manifests.

Not every tracked file becomes part of a workspace (``in_workspace`` says which does). A commit leaves those that
do not as they are: that a file is missing from the manifest means it was deleted only if it could have been there.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from dulwich.ignore import IgnoreFilterManager
from dulwich.index import commit_tree, validate_path, validate_path_element_hfs, validate_path_element_ntfs
from dulwich.object_store import BaseObjectStore, iter_tree_contents
from dulwich.objects import Blob, ObjectID

from discord_agent.adapters.workspace.packs import NewFile
from discord_agent.domain.errors import InvalidInput, RepositoryRefused
from discord_agent.domain.workspace import (
    AGENT_FOLDER,
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_PATH_BYTES,
    MAX_TREE_BYTES,
    FileEntry,
    is_excluded,
    link_stays_inside,
    looks_secret,
    safe_path,
)

type Leaf = tuple[int, ObjectID]
"""Git's mode and the object."""

type Leaves = dict[bytes, Leaf]

_GIT_MODES: Final = {FILE_MODE: 0o100644, EXECUTABLE_MODE: 0o100755, LINK_MODE: 0o120000}
_MODES: Final = {0o100644: FILE_MODE, 0o100664: FILE_MODE, 0o100755: EXECUTABLE_MODE, 0o120000: LINK_MODE}
_GITLINK: Final = 0o160000


def leaves(store: BaseObjectStore, tree: ObjectID) -> Leaves:
    """All files of a tree by path."""
    return {entry.path: (entry.mode, entry.sha) for entry in iter_tree_contents(store, tree)}


def workspace_files(store: BaseObjectStore, tree: ObjectID) -> Iterator[NewFile]:
    """The files of a tree that a workspace holds; RepositoryRefused if they are too many or too large."""
    count = total = 0
    for path, leaf in sorted(leaves(store, tree).items()):
        file = in_workspace(store, path, leaf)
        if file is None:
            continue
        count, total = count + 1, total + len(file.content)
        if count > MAX_FILES or total > MAX_TREE_BYTES:
            raise RepositoryRefused(
                f"the repository is too large for a workspace ({MAX_FILES} files, {MAX_TREE_BYTES >> 20} MB)"
            )
        yield file


def in_workspace(store: BaseObjectStore, path: bytes, leaf: Leaf) -> NewFile | None:
    """A tracked file as a workspace holds it; None for what it does not hold: see the conditions."""
    mode = _MODES.get(leaf[0])
    name = _plain_name(path)
    if mode is None or name is None or is_excluded(name) or _is_agents_own(name):
        return None
    blob = store[leaf[1]]
    if not isinstance(blob, Blob) or blob.raw_length() > MAX_FILE_BYTES:
        return None
    content = blob.data
    leads_out = mode == LINK_MODE and not link_stays_inside(name, content.decode("utf-8", "surrogateescape"))
    return None if leads_out else NewFile(name, mode, content)


def build_tree(
    store: BaseObjectStore, base: ObjectID, files: Iterable[tuple[FileEntry, bytes]], paths: Iterable[str]
) -> ObjectID:
    """The tree of a commit on ``base`` with a manifest's files; ``paths`` are all of the manifest's.

    Left out, unless tracked: the agent's own folder, what .gitignore names, what looks secret.
    """
    tracked = leaves(store, base)
    manifest_paths = {path.encode() for path in paths}
    kept = {
        path: leaf
        for path, leaf in tracked.items()
        if path not in manifest_paths and in_workspace(store, path, leaf) is None
    }
    submodules = {path for path, leaf in kept.items() if leaf[0] == _GITLINK}
    contents: dict[str, tuple[FileEntry, bytes]] = {entry.path: (entry, content) for entry, content in files}
    ignored = _ignored({path: content for path, (_, content) in contents.items()})
    built: Leaves = {}
    for name, (entry, content) in contents.items():
        path = name.encode()
        new = path not in tracked
        if new and (name in ignored or not _may_be_added(name)):
            continue
        if not submodules.isdisjoint(_parents(path)):
            continue
        built[path] = _leaf(store, entry, content, tracked.get(path))
    folders = {parent for path in built for parent in _parents(path)}
    remaining = {
        path: leaf for path, leaf in kept.items() if path not in folders and built.keys().isdisjoint(_parents(path))
    }
    return commit_tree(store, ((path, sha, mode) for path, (mode, sha) in (remaining | built).items()))


def _leaf(store: BaseObjectStore, entry: FileEntry, content: bytes, tracked: Leaf | None) -> Leaf:
    blob = Blob.from_string(content)
    if blob.id not in store:
        store.add_object(blob)
    # 0o100664 of old repositories means the same and is no change.
    same_mode = tracked is not None and _MODES.get(tracked[0]) == entry.mode
    return (tracked[0] if tracked is not None and same_mode else _GIT_MODES[entry.mode]), blob.id


def _may_be_added(name: str) -> bool:
    # Names that some file systems take for .git are no accident.
    path = name.encode()
    harmless = validate_path(path, validate_path_element_ntfs) and validate_path(path, validate_path_element_hfs)
    return harmless and not _is_agents_own(name) and not looks_secret(name)


def _ignored(contents: Mapping[str, bytes]) -> frozenset[str]:
    """The paths that the .gitignore files among ``contents`` name."""
    rules = {path: content for path, content in contents.items() if path.rpartition("/")[2] == ".gitignore"}
    if not rules:
        return frozenset()
    with tempfile.TemporaryDirectory() as folder:
        for path, content in rules.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        manager = IgnoreFilterManager(folder, [], ignorecase=False)
        return frozenset(path for path in contents if manager.is_ignored(path))


def _plain_name(path: bytes) -> str | None:
    try:
        name = path.decode()
        return name if safe_path(name) == name and len(path) <= MAX_PATH_BYTES else None
    except (UnicodeDecodeError, InvalidInput):
        return None


def _is_agents_own(name: str) -> bool:
    return name.split("/", 1)[0] == AGENT_FOLDER


def _parents(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:depth]) for depth in range(1, len(parts))]
