import pytest
from dulwich.index import commit_tree
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, ObjectID

from discord_agent.adapters.git.merging import merge_trees
from discord_agent.adapters.git.trees import leaves

TEXT = b"one\ntwo\nthree\nfour\nfive\nsix\n"


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore()


def tree(store: MemoryObjectStore, files: dict[str, bytes], modes: dict[str, int] | None = None) -> ObjectID:
    blobs = {path: Blob.from_string(content) for path, content in files.items()}
    for blob in blobs.values():
        store.add_object(blob)
    found = modes or {}
    return commit_tree(store, [(path.encode(), blob.id, found.get(path, 0o100644)) for path, blob in blobs.items()])


def contents(store: MemoryObjectStore, root: ObjectID) -> dict[str, bytes]:
    found = {}
    for path, (_, sha) in leaves(store, root).items():
        blob = store[sha]
        assert isinstance(blob, Blob)
        found[path.decode()] = blob.data
    return found


def test_changes_of_different_files_and_lines_come_together(store: MemoryObjectStore) -> None:
    base = tree(store, {"a": TEXT, "b": b"b", "gone": b"x", "same": b"s"})
    ours = tree(store, {"a": TEXT.replace(b"one", b"ONE"), "b": b"B", "same": b"s", "gone": b"x", "new-here": b"n"})
    theirs = tree(store, {"a": TEXT.replace(b"six", b"SIX"), "b": b"b", "same": b"s", "new-there": b"t"})
    merged = merge_trees(store, base, ours, theirs)
    assert merged.tree is not None
    assert contents(store, merged.tree) == {
        "a": b"ONE\ntwo\nthree\nfour\nfive\nSIX\n",
        "b": b"B",
        "same": b"s",
        "new-here": b"n",
        "new-there": b"t",
    }


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "clash"),
    [
        ({"a": TEXT}, {"a": TEXT.replace(b"two", b"2")}, {"a": TEXT.replace(b"two", b"II")}, ("a",)),
        ({"a": TEXT}, {"a": TEXT + b"x"}, {}, ("a",)),
        ({"a": b"x"}, {"a": b"x", "n": b"1"}, {"a": b"x", "n": b"2"}, ("n",)),
        ({"a": b"\0x\ny\n"}, {"a": b"\0X\ny\n"}, {"a": b"\0x\nY\n"}, ("a",)),
        ({"k": b"k"}, {"k": b"k", "d": b"file"}, {"k": b"k", "d/in": b"folder"}, ("d/in",)),
    ],
)
def test_changes_that_clash_are_named_and_nothing_is_merged(
    store: MemoryObjectStore,
    base: dict[str, bytes],
    ours: dict[str, bytes],
    theirs: dict[str, bytes],
    clash: tuple[str, ...],
) -> None:
    merged = merge_trees(store, tree(store, base), tree(store, ours), tree(store, theirs))
    assert (merged.tree, merged.conflicts) == (None, clash)


def test_text_that_looks_like_conflict_markers_is_no_conflict(store: MemoryObjectStore) -> None:
    text = b"<<<<<<< ours\n=======\n>>>>>>> theirs\n" + TEXT
    merged = merge_trees(
        store,
        tree(store, {"a": text}),
        tree(store, {"a": text.replace(b"one", b"1")}),
        tree(store, {"a": text.replace(b"six", b"6")}),
    )
    assert merged.conflicts == ()


def test_a_mode_changed_on_one_side_is_kept_with_text_changed_on_both(store: MemoryObjectStore) -> None:
    base = tree(store, {"a": TEXT})
    ours = tree(store, {"a": TEXT.replace(b"one", b"1")})
    theirs = tree(store, {"a": TEXT.replace(b"six", b"6")}, {"a": 0o100755})
    merged = merge_trees(store, base, ours, theirs)
    assert merged.tree is not None
    assert leaves(store, merged.tree)[b"a"][0] == 0o100755
