from copy import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discord_agent.adapters.workspace.packs import NewFile, PackStore
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain.errors import Conflict, InvalidInput, WorkspaceDamaged
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.workspace import LINK_MODE, MAX_FILE_BYTES, Manifest
from tests.support.buckets import BUCKET, bucket, keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREAD = ThreadId("42")
OTHER = ThreadId("4")


@pytest.fixture
def workspaces(s3: "S3Client") -> S3Workspaces:
    return S3Workspaces(s3, BUCKET)


def contents(workspaces: S3Workspaces, manifest: Manifest) -> dict[str, bytes]:
    return {entry.path: workspaces.read(THREAD, manifest, entry.path) for entry in manifest.files}


def test_a_new_thread_has_no_head(workspaces: S3Workspaces) -> None:
    assert workspaces.head(THREAD) is None


def test_what_is_saved_is_loaded_again(workspaces: S3Workspaces) -> None:
    manifest = workspaces.add_files(THREAD, Manifest(), {"b.txt": b"two", "a/one.txt": b"one", "empty": b""})
    head = workspaces.save(THREAD, manifest, expected=None)
    assert workspaces.head(THREAD) == head
    loaded = workspaces.load(THREAD, head.manifest_id)
    assert loaded == manifest
    assert contents(workspaces, loaded) == {"a/one.txt": b"one", "b.txt": b"two", "empty": b""}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b/c", "b/d", "e"]), st.binary(max_size=40), min_size=1), max_size=4)
)
def test_every_saved_state_can_be_restored(changes: list[dict[str, bytes]]) -> None:
    with bucket() as s3:
        workspaces = S3Workspaces(s3, BUCKET)
        manifest, head, expected = Manifest(), None, dict[str, bytes]()
        history = []
        for change in changes:
            manifest = workspaces.add_files(THREAD, manifest, change)
            head = workspaces.save(THREAD, manifest, expected=head)
            expected = expected | change
            history.append((head.manifest_id, expected))
        for manifest_id, files in history:
            assert contents(workspaces, workspaces.load(THREAD, manifest_id)) == files


def test_a_file_or_folder_in_the_way_of_a_new_file_gives_way(workspaces: S3Workspaces) -> None:
    blocked = workspaces.add_files(THREAD, Manifest(), {".agent": b"a file", "diff/x/y": b"a folder", "diffs": b"kept"})
    manifest = workspaces.add_files(THREAD, blocked, {".agent/plans/x.md": b"plan", "diff": b"new"})
    workspaces.save(THREAD, manifest, expected=None)
    assert contents(workspaces, manifest) == {".agent/plans/x.md": b"plan", "diff": b"new", "diffs": b"kept"}


def test_of_two_overlapping_saves_one_conflicts(workspaces: S3Workspaces) -> None:
    start = workspaces.save(THREAD, Manifest(), expected=None)
    first = workspaces.add_files(THREAD, Manifest(), {"a": b"first"})
    second = workspaces.add_files(THREAD, Manifest(), {"a": b"second"})
    won = workspaces.save(THREAD, first, expected=start)
    with pytest.raises(Conflict):
        workspaces.save(THREAD, second, expected=start)
    assert workspaces.head(THREAD) == won


def test_two_first_saves_of_a_thread_conflict(workspaces: S3Workspaces) -> None:
    workspaces.save(THREAD, Manifest(), expected=None)
    with pytest.raises(Conflict):
        workspaces.save(THREAD, Manifest(base="a" * 40), expected=None)


def test_a_save_repeated_after_a_lost_answer_succeeds(workspaces: S3Workspaces) -> None:
    start = workspaces.save(THREAD, Manifest(), expected=None)
    manifest = workspaces.add_files(THREAD, Manifest(), {"a": b"a"})
    assert workspaces.save(THREAD, manifest, expected=start) == workspaces.save(THREAD, manifest, expected=start)


def test_going_back_to_an_old_state_does_not_revive_an_old_head(workspaces: S3Workspaces) -> None:
    manifest = workspaces.add_files(THREAD, Manifest(), {"a": b"a"})
    first = workspaces.save(THREAD, Manifest(), expected=None)
    second = workspaces.save(THREAD, manifest, expected=first)
    workspaces.save(THREAD, Manifest(), expected=second)
    with pytest.raises(Conflict):
        workspaces.save(THREAD, manifest, expected=first)


def test_the_same_content_is_stored_once(s3: "S3Client", workspaces: S3Workspaces) -> None:
    manifest = workspaces.add_files(THREAD, Manifest(), {"a": b"same", "b": b"same"})
    again = workspaces.add_files(THREAD, manifest, {"c/d": b"same"})
    assert len(keys(s3, "threads/42/workspace/packs/")) == 1
    assert len({(entry.pack, entry.offset) for entry in again.files}) == 1


def test_many_files_take_one_pack_and_one_read(s3: "S3Client", workspaces: S3Workspaces) -> None:
    manifest = workspaces.add_files(THREAD, Manifest(), {f"d/{number}": str(number).encode() for number in range(300)})
    assert len(keys(s3, "threads/42/workspace/packs/")) == 1
    requests: list[str] = []
    s3.meta.events.register("before-call.s3", lambda model, **_: requests.append(model.name))
    restored = {entry.path: data for entry, data in PackStore(s3, BUCKET, THREAD).read(manifest.files)}
    assert restored == {f"d/{number}": str(number).encode() for number in range(300)}
    assert requests == ["GetObject"]


def test_a_damaged_pack_is_noticed(s3: "S3Client", workspaces: S3Workspaces) -> None:
    manifest = workspaces.add_files(THREAD, Manifest(), {"a": b"content" * 10})
    [key] = keys(s3, "threads/42/workspace/packs/")
    data = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    other = PackStore(s3, BUCKET, OTHER).write([NewFile("a", 0o644, b"altered" * 10)], {})[0]
    forged = s3.get_object(Bucket=BUCKET, Key=other.pack)["Body"].read()
    for bad in (data[:-3], forged, b"\0" * len(data)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=bad)
        with pytest.raises(WorkspaceDamaged):
            workspaces.read(THREAD, manifest, "a")
    s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(WorkspaceDamaged):
        workspaces.read(THREAD, manifest, "a")


def test_a_missing_manifest_is_noticed(s3: "S3Client", workspaces: S3Workspaces) -> None:
    head = workspaces.save(THREAD, Manifest(), expected=None)
    s3.delete_object(Bucket=BUCKET, Key=f"threads/42/workspace/manifests/{head.manifest_id}")
    with pytest.raises(WorkspaceDamaged):
        workspaces.load(THREAD, head.manifest_id)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/config", "node_modules/x", ""])
def test_files_are_added_only_inside_the_workspace(workspaces: S3Workspaces, path: str) -> None:
    with pytest.raises(InvalidInput):
        workspaces.add_files(THREAD, Manifest(), {path: b"x"})


def test_a_file_over_the_limit_is_not_added(workspaces: S3Workspaces) -> None:
    with pytest.raises(InvalidInput):
        workspaces.add_files(THREAD, Manifest(), {"big": bytes(MAX_FILE_BYTES + 1)})


def test_only_files_of_the_manifest_can_be_read(workspaces: S3Workspaces, s3: "S3Client") -> None:
    manifest = workspaces.add_files(THREAD, Manifest(), {"a": b"a"})
    [link] = PackStore(s3, BUCKET, THREAD).write([NewFile("link", LINK_MODE, b"a")], {})
    manifest = replace(manifest, files=(*manifest.files, link))
    for path in ("b", "../42/a", "/a", "link"):
        with pytest.raises(InvalidInput):
            workspaces.read(THREAD, manifest, path)


def test_published_files_are_plain_objects_without_secrets(workspaces: S3Workspaces, s3: "S3Client") -> None:
    manifest = workspaces.add_files(THREAD, Manifest(), {"src/a.py": b"print()", ".env": b"KEY=1", "b": b"b"})
    workspaces.publish(THREAD, manifest, ["src/a.py", ".env", "gone"])
    assert keys(s3, "threads/42/files/") == ["threads/42/files/src/a.py"]
    published = s3.get_object(Bucket=BUCKET, Key="threads/42/files/src/a.py")
    assert published["Body"].read() == b"print()"
    assert published["ContentDisposition"] == "attachment"


def test_deleting_a_thread_removes_every_version_and_nothing_else(workspaces: S3Workspaces, s3: "S3Client") -> None:
    workspaces.save(OTHER, Manifest(), expected=None)
    for number in range(1005):
        s3.put_object(Bucket=BUCKET, Key=f"threads/42/uploads/{number}", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="threads/42/uploads/0", Body=b"newer")
    s3.delete_object(Bucket=BUCKET, Key="threads/42/uploads/1")
    kept = keys(s3, "threads/4/")
    workspaces.delete(THREAD)
    left = s3.list_object_versions(Bucket=BUCKET, Prefix="threads/42/")
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")
    assert keys(s3) == kept
