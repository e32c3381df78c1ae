import base64
import hashlib
import json

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.workspace.codec import decode, encode, from_inline, inline
from discord_agent.adapters.workspace.layout import pack_prefix
from discord_agent.domain.errors import WorkspaceDamaged
from discord_agent.domain.ids import ManifestId, ThreadId
from discord_agent.domain.workspace import MAX_TREE_BYTES, MODES, FileEntry, Manifest

THREAD = ThreadId("1234")
OTHER = ThreadId("5678")


def entry(path: str, *, thread: ThreadId = THREAD, mode: int = 0o644, size: int = 3) -> FileEntry:
    digest = hashlib.sha256(path.encode()).hexdigest()
    return FileEntry(path, mode, size, digest, pack_prefix(thread) + digest, 0, 12)


names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\", exclude_categories=("Cc", "Cs", "Zs")), min_size=1
)
entries = st.builds(
    lambda name, mode, size, where: FileEntry(
        f"d/{name}x", mode, size, hashlib.sha256(name.encode()).hexdigest(), pack_prefix(THREAD) + "a" * 64, where, 9
    ),
    names,
    st.sampled_from(sorted(MODES)),
    st.integers(0, 4096),
    st.integers(0, 2**40),
)


@given(st.lists(entries, max_size=8, unique_by=lambda item: item.path), st.none() | st.just("c" * 40))
def test_a_manifest_survives_the_way_through_its_encoded_form(files: list[FileEntry], base: str | None) -> None:
    manifest = Manifest(tuple(sorted(files, key=lambda item: item.path)), base)
    manifest_id, data = encode(manifest, THREAD)
    assert decode(data, THREAD, expected=manifest_id) == manifest
    assert from_inline(inline(manifest, THREAD), THREAD) == manifest


def test_the_id_depends_on_the_content_and_not_on_the_order_of_files() -> None:
    one, two = entry("a"), entry("b")
    assert encode(Manifest((one, two)), THREAD)[0] == encode(Manifest((two, one)), THREAD)[0]
    assert encode(Manifest((one,)), THREAD)[0] != encode(Manifest((two,)), THREAD)[0]


def test_another_manifest_than_the_expected_one_is_refused() -> None:
    _, data = encode(Manifest((entry("a"),)), THREAD)
    with pytest.raises(WorkspaceDamaged):
        decode(data, THREAD, expected=ManifestId("0" * 64))


@pytest.mark.parametrize(
    "path",
    [
        "../up",
        "/etc/passwd",
        "a/../b",
        ".git/config",
        "sub/.git/hooks/x",
        "node_modules/a.js",
        "a//b",
        "a\nb",
        "",
        "a\\b",
    ],
)
def test_a_manifest_with_a_path_that_leaves_the_workspace_is_refused(path: str) -> None:
    with pytest.raises(WorkspaceDamaged):
        decode(encode(Manifest((entry(path),)), THREAD)[1], THREAD)


def test_a_manifest_that_points_into_another_threads_packs_is_refused() -> None:
    with pytest.raises(WorkspaceDamaged):
        decode(encode(Manifest((entry("a", thread=OTHER),)), THREAD)[1], THREAD)


@pytest.mark.parametrize(
    "files",
    [
        (entry("a"), entry("a")),
        (entry("a"), entry("a/b")),
        (entry("a", mode=0o100644),),
        (entry("a", mode=0o4755),),
        (entry("a", size=-1),),
        (entry("a", size=2**40),),
        (entry("a", mode=0o120000, size=5000),),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_refused(files: tuple[FileEntry, ...]) -> None:
    with pytest.raises(WorkspaceDamaged):
        decode(encode(Manifest(files), THREAD)[1], THREAD)


def test_a_workspace_that_commands_filled_has_room_for_the_plan_and_the_diff() -> None:
    full = tuple(entry(f"f{number}", size=32 << 20) for number in range(MAX_TREE_BYTES // (32 << 20)))
    with_diff = (entry(".agent/changes.diff", size=8 << 20), *full)
    assert decode(encode(Manifest(with_diff), THREAD)[1], THREAD).files == with_diff
    with pytest.raises(WorkspaceDamaged):
        decode(
            encode(Manifest((*full, *(entry(f"g{number}", size=32 << 20) for number in range(3)))), THREAD)[1], THREAD
        )


@pytest.mark.parametrize(
    "text",
    [
        "not base64!",
        base64.b64encode(b"not zstd").decode(),
        base64.b64encode(zstd.compress(b"not json")).decode(),
        base64.b64encode(zstd.compress(json.dumps({"format": 1}).encode())).decode(),
        base64.b64encode(zstd.compress(b" " * (17 * 1024 * 1024))).decode(),
    ],
)
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(WorkspaceDamaged):
        from_inline(text, THREAD)
