import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from discord_agent.sandbox.processes import hide_process
from tests.support.buckets import BUCKET
from tests.support.eventually import eventually
from tests.support.sandboxes import THREAD, Client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DETACHED = "import os,time\nif os.fork()==0:\n os.setsid()\n if os.fork()==0:\n  time.sleep(600)\n os._exit(0)\n"


def running(marker: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line:
                found.append(entry.name)
    return found


def test_a_command_reports_its_output_and_exit_code(client: Client) -> None:
    reply = client.call("bash", command="echo out; echo err >&2; exit 3")
    assert (reply.ok, reply.text) == (False, "out\nerr\n[exit code 3]")
    assert reply.facts == {"exit_code": 3, "paths_changed": []}


def test_a_command_sees_nothing_of_the_runtimes_environment(client: Client) -> None:
    reply = client.call("bash", command="env | cut -d= -f1 | sort | tr '\\n' ' '")
    names = set(reply.text.splitlines()[0].split())
    assert names == {"HOME", "LANG", "OLDPWD", "PATH", "PWD", "PYTEST_ADDOPTS", "SHLVL", "TMPDIR", "_"} - (
        {"OLDPWD"} - names
    )


def test_a_command_can_read_neither_environment_nor_memory_of_the_runtime(client: Client) -> None:
    hide_process()
    reply = client.call("bash", command=f"cat /proc/{os.getpid()}/environ; head -c 1 /proc/{os.getpid()}/mem")
    assert not reply.ok
    assert reply.text.count("Permission denied") == 2


def test_a_command_cannot_have_the_runtime_read_a_link_in_place_of_its_output(client: Client) -> None:
    every_file = "touch ../output; for file in $(find .. -maxdepth 1 -type f); do"
    reply = client.call("bash", command=f"{every_file} ln -sf /proc/self/environ $file; done; echo done")
    assert (reply.ok, reply.text) == (True, "done\n[exit code 0]")
    assert client.call("bash", command="echo again").text == "again\n[exit code 0]"


def test_a_command_has_no_capabilities_and_cannot_get_any(client: Client) -> None:
    reply = client.call("bash", command="grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status")
    status = dict(line.split(":\t") for line in reply.text.splitlines()[:3])
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert os.geteuid() != 0 or int(status["CapBnd"], 16) == 0


def test_a_command_that_takes_too_long_is_stopped_with_all_it_started(client: Client) -> None:
    reply = client.call("bash", command="sleep 611.25 & sleep 611.25", timeout_seconds=2)
    assert not reply.ok
    assert "stopped after 2 s" in reply.text
    assert not running("611.25")


def test_nothing_outlives_a_call_not_even_a_daemon(client: Client) -> None:
    client.call("write_file", path="daemon.py", content=DETACHED)
    reply = client.call("bash", command="(sleep 612.25 &) ; python3 daemon.py; echo started")
    assert reply.ok
    assert not running("612.25")
    assert not running("daemon.py")


def test_a_stop_marker_ends_a_running_command_and_the_writes_after_it(client: Client, s3: "S3Client") -> None:
    def stop_once_running() -> None:
        eventually(lambda: running("613.25"))
        s3.put_object(Bucket=BUCKET, Key=f"threads/{THREAD}/workspace/control/m-1", Body=b"")

    helper = threading.Thread(target=stop_once_running)
    helper.start()
    interrupted, skipped, read = client.round(
        ("bash", {"command": "echo before; echo kept > file; sleep 613.25"}),
        ("write_file", {"path": "never", "content": "x"}),
        ("read_file", {"path": "file"}),
    )
    helper.join()
    assert (interrupted.ok, interrupted.facts["interrupted"]) == (False, True)
    assert (skipped.ok, skipped.facts) == (False, {"interrupted": True})
    assert read.text == "kept\n"
    assert client.paths() == ["file"]
    assert not running("613.25")


def test_the_marker_of_another_execution_stops_nothing(client: Client, s3: "S3Client") -> None:
    s3.put_object(Bucket=BUCKET, Key=f"threads/{THREAD}/workspace/control/m-2", Body=b"")
    assert client.call("bash", command="sleep 1.2; echo done").text == "done\n[exit code 0]"


def test_a_long_output_is_cut_in_the_middle_and_kept_whole(client: Client) -> None:
    reply = client.call("bash", command="seq 1 20000")
    assert len(reply.text) < 26_000
    assert reply.text.startswith("1\n2\n")
    assert reply.text.endswith("20000\n[exit code 0]")
    assert "the whole output is in .agent/outputs/1.txt" in reply.text
    assert client.call("bash", command="wc -l < .agent/outputs/1.txt").text == "20000\n[exit code 0]"
    assert reply.facts["paths_changed"] == []
    assert client.paths() == [".agent/outputs/1.txt"]


def test_a_command_that_never_stops_printing_is_stopped(client: Client) -> None:
    reply = client.call("bash", command="yes")
    assert not reply.ok
    assert "it printed too much" in reply.text


def test_the_results_of_a_test_run_become_facts(client: Client) -> None:
    tests = "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\n@pytest.mark.skip\ndef test_c(): pass\n"
    client.call("write_file", path="test_it.py", content=tests)
    reply = client.call("bash", command="python -m pytest -q")
    assert reply.facts == {"exit_code": 1, "tests": {"run": 2, "passed": 1}, "paths_changed": []}
    assert "tests" not in client.call("bash", command="echo nothing tested").facts


def test_arguments_and_paths_never_reach_another_shell(client: Client) -> None:
    client.call("write_file", path="a $(touch pwned) `touch pwned`;touch pwned", content="x")
    client.call("grep", pattern="$(touch pwned)", path="a $(touch pwned) `touch pwned`;touch pwned")
    assert client.call("bash", command="ls pwned").facts["exit_code"] == 2


def test_commands_that_linux_cannot_run_are_refused(client: Client) -> None:
    for command in ("echo a\0b", "true " + "x" * 200_000):
        reply = client.call("bash", command=command)
        assert (reply.ok, reply.facts) == (False, {"paths_changed": []})


def test_no_command_runs_when_no_time_is_left_to_save(client: Client) -> None:
    client.seconds = 41
    reply = client.call("bash", command="touch ran")
    assert not reply.ok
    assert "no time is left" in reply.text
    assert client.paths() == []
