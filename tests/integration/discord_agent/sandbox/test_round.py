import os
from copy import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain.errors import InvalidEvent, WorkspaceDamaged
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.workspace import MAX_FILE_BYTES
from discord_agent.sandbox.service import Sandbox
from tests.support.buckets import BUCKET, bucket, keys
from tests.support.sandboxes import THREAD, Client, request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def test_what_one_environment_writes_another_one_reads(client: Client, cold: Sandbox) -> None:
    wrote = client.call("write_file", path="src/a.py", content="print('ä')\n")
    assert (wrote.ok, wrote.facts) == (True, {"paths_changed": ["src/a.py"]})
    assert client.call("read_file", path="src/a.py").text == "print('ä')\n"
    elsewhere = replace(client, sandbox=cold)
    assert elsewhere.call("read_file", path="src/a.py").text == "print('ä')\n"


def test_a_round_without_changes_returns_no_manifest_and_writes_nothing(client: Client, s3: "S3Client") -> None:
    client.call("write_file", path="a", content="a")
    manifest, stored = client.manifest, keys(s3)
    client.call("bash", command="cat a; touch a")
    assert client.manifest is manifest
    assert keys(s3) == stored


def test_a_round_saves_once_whatever_the_number_of_writes(client: Client, s3: "S3Client") -> None:
    client.round(*[("write_file", {"path": f"f{number}", "content": str(number)}) for number in range(6)])
    assert client.paths() == [f"f{number}" for number in range(6)]
    assert len(keys(s3)) == 1


def test_writes_happen_in_order_and_reads_see_those_before_them(client: Client) -> None:
    replies = client.round(
        ("write_file", {"path": "a", "content": "one"}),
        ("read_file", {"path": "a"}),
        ("bash", {"command": "cat a; echo two > a"}),
        ("read_file", {"path": "a"}),
        ("edit_file", {"path": "a", "old": "two", "new": "three"}),
        ("read_file", {"path": "a"}),
    )
    assert [replies[index].text for index in (1, 3, 5)] == ["one", "two\n", "three\n"]
    assert replies[2].text == "one\n[exit code 0]"


def test_modes_links_and_deletions_survive(client: Client, cold: Sandbox) -> None:
    client.call("bash", command="echo x > run.sh; chmod +x run.sh; ln -s run.sh link; mkdir d; echo y > d/gone")
    client.call("bash", command="rm -r d")
    elsewhere = replace(client, sandbox=cold)
    seen = elsewhere.call("bash", command="find . -type f -o -type l | sort; test -x run.sh; readlink link")
    assert seen.text == "./link\n./run.sh\nrun.sh\n[exit code 0]"


def test_old_manifests_can_be_restored_in_a_warm_environment(client: Client) -> None:
    client.call("bash", command="echo 1 > a; mkdir -p d/e; echo 1 > d/e/f")
    first = client.manifest
    client.call("bash", command="rm -r d; echo 2 > d; echo 2 > a; echo 2 > b")
    client.manifest = first
    assert client.call("bash", command="cat a d/e/f; ls").text == "1\n1\na\nd\n[exit code 0]"


def test_links_out_of_the_workspace_are_not_saved(client: Client) -> None:
    reply = client.call("bash", command="ln -s /etc/passwd a; ln -s ../.. b; ln -s c d; echo c > c")
    assert client.paths() == ["c", "d"]
    assert "[not saved: a: it is a link that leads out of the workspace]" in reply.text


def test_caches_secrets_and_huge_files_are_not_saved(client: Client) -> None:
    size = MAX_FILE_BYTES + 1
    client.call(
        "bash",
        command=f"mkdir node_modules __pycache__; echo x > node_modules/a; echo y > __pycache__/b; echo K=1 > .env; "
        f"truncate -s {size} huge; echo z > z; mkfifo pipe",
    )
    assert client.paths() == ["z"]
    assert client.skipped == (".env", "huge", "pipe")


def test_a_saved_file_that_grows_too_large_keeps_its_saved_state(client: Client, cold: Sandbox) -> None:
    client.call("write_file", path="a", content="small")
    client.call("bash", command=f"truncate -s {MAX_FILE_BYTES + 1} a; echo b > b")
    assert replace(client, sandbox=cold).call("read_file", path="a").text == "small"


def test_nothing_of_one_thread_is_left_for_another(client: Client) -> None:
    client.call("bash", command="echo secret > a; mkdir node_modules; echo secret > node_modules/b")
    other = Client(client.sandbox, thread=ThreadId("7002"))
    assert other.call("bash", command="find . -type f | wc -l").text == "0\n[exit code 0]"


def test_undoing_a_change_stores_nothing_twice(client: Client, s3: "S3Client") -> None:
    client.call("write_file", path="a", content="one")
    first = client.manifest
    client.call("write_file", path="a", content="two")
    stored = keys(s3)
    client.call("write_file", path="a", content="one")
    assert (client.manifest, keys(s3)) == (first, stored)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "d/b", "d/e/c"]), st.none() | st.binary(max_size=20)), min_size=1, max_size=6
    )
)
def test_any_series_of_changes_survives_a_cold_start(changes: list[tuple[str, bytes | None]]) -> None:
    with bucket() as s3:
        warm, files = Sandbox(os.defpath), dict[str, bytes]()
        client = Client(warm)
        for path, content in changes:
            if content is None:
                client.call("bash", command=f"rm -f {path}")
                files.pop(path, None)
            else:
                escaped = "".join(f"\\x{byte:02x}" for byte in content)
                client.call("bash", command=f"mkdir -p $(dirname {path}); printf '{escaped}' > {path}")
                files[path] = content
        warm.close()
        workspaces = S3Workspaces(s3, BUCKET)
        assert {path: workspaces.read(THREAD, client.manifest, path) for path in client.paths()} == files


def test_a_damaged_workspace_is_an_error_and_not_an_empty_tree(client: Client, s3: "S3Client", cold: Sandbox) -> None:
    client.call("write_file", path="a", content="a")
    for key in keys(s3):
        s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(WorkspaceDamaged):
        replace(client, sandbox=cold).call("list_files")


def test_a_tool_list_is_answered_without_any_storage() -> None:
    sandbox = Sandbox("/bin")
    event = {"thread_id": "1", "execution_id": "m-1", "requests": [request("tools/list", {})]}
    assert len(sandbox.handle(event, 100)["responses"][0]["result"]["tools"]) == 7
    sandbox.close()


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        {"thread_id": "../x", "execution_id": "m-1", "requests": []},
        {"thread_id": "1", "execution_id": "../../head", "requests": []},
        {"thread_id": "1", "execution_id": "m-1", "requests": [{}], "role": "admin"},
        {"thread_id": "1", "execution_id": "m-1", "requests": "all"},
    ],
)
def test_a_malformed_event_is_refused(event: object) -> None:
    with pytest.raises(InvalidEvent):
        Sandbox("/bin").handle(event, 100)
