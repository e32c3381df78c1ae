"""Functions in processes of their own, seen through Lambda's API."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from devstack.aws.declared import Declared
from devstack.aws.functions.model import InvocationRefused
from devstack.aws.stack import LocalAws
from discord_agent.declaration import Package, Queue
from tests.support.eventually import eventually
from tests.support.local_aws import FUNCTIONS, ROOT, function, records, system

NAME = "discord-agent-puppet"
LIMIT = 6_291_556


@pytest.fixture(scope="module")
def records_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes") / "records"


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str]]:
    return []


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The puppet under several names, and one function that cannot be imported."""
    folder = tmp_path_factory.mktemp("functions")
    for name in ("puppet", "short", "tenants", "tools", "single", "mourned"):
        (folder / name).symlink_to(FUNCTIONS / "puppet")
    (folder / "broken").mkdir()
    (folder / "broken" / "handler.py").write_text("import does_not_exist\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def aws(records_file: Path, roots: Path, lines: list[tuple[str, str]]) -> Iterator[LocalAws]:
    declared = system(
        function(records_file, environment=(("OWN", "value"), ("EMPTY", ""))),
        function(records_file, name="short", timeout=1),
        function(records_file, name="tenants", tenant_isolated=True),
        function(records_file, name="tools", package=Package.SANDBOX),
        function(records_file, name="single"),
        function(records_file, name="broken"),
        replace(function(records_file, name="mourned"), dead_letters="dead"),
        queues={"dead": Queue("dead")},
    )
    with LocalAws(
        Declared(declared, root=ROOT, functions_root=roots, reserved={"single": 1}),
        time_scale=0.02,
        on_log=lambda name, line: lines.append((name, line)),
    ) as stack:
        yield stack


def test_a_result_comes_back_as_json(aws: LocalAws) -> None:
    assert aws.invoke("puppet", {"do": "echo", "value": {"a": [1, None]}}).payload == {"a": [1, None]}


def test_the_context_is_lambdas(aws: LocalAws) -> None:
    context: Any = aws.invoke("puppet", {"do": "context"}).payload
    assert context["arn"].endswith(f":function:{NAME}")
    assert (context["name"], context["memory"], context["tenant"]) == (NAME, "256", None)
    assert 25_000 < context["remaining"] <= 30_000


def test_a_function_sees_its_own_environment_and_nothing_of_ours(aws: LocalAws) -> None:
    environment: Any = aws.invoke("puppet", {"do": "environment"}).payload
    assert environment["OWN"] == "value"
    assert "EMPTY" not in environment
    assert aws.environment("puppet").items() <= environment.items()
    runtimes_own = {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "TZ", "PYTHONPATH", "PYTHONUNBUFFERED", "_HANDLER"}
    rest = environment.keys() - aws.environment("puppet").keys() - runtimes_own
    assert {name for name in rest if not name.startswith(("AWS_LAMBDA_", "LAMBDA_"))} == {
        "AWS_EXECUTION_ENV",
        "_X_AMZN_TRACE_ID",
    }
    assert environment["HOME"] != str(Path.home())


def test_a_zip_function_finds_python_and_nothing_else(aws: LocalAws) -> None:
    environment: Any = aws.invoke("puppet", {"do": "environment"}).payload
    programs = [each.name for folder in environment["PATH"].split(":") for each in Path(folder).iterdir()]
    assert {name.rstrip("0123456789.") for name in programs} == {"python"}
    sandbox: Any = aws.invoke("tools", {"do": "environment"}).payload
    assert len(sandbox["PATH"].split(":")) > 1


def test_the_python_on_the_path_has_the_packages(aws: LocalAws) -> None:
    environment: Any = aws.invoke("puppet", {"do": "environment"}).payload
    python = Path(environment["PATH"]) / "python"
    code = "import boto3, sys; print(sys.version_info[:2])"
    with psutil.Popen([str(python), "-c", code], stdout=-1, env={}) as child:
        assert child.stdout.read().strip() == b"(3, 13)"


def test_an_error_has_its_class_name_and_trace(aws: LocalAws) -> None:
    failed = aws.invoke("puppet", {"do": "raise", "error": "LeaseLost", "message": "gone"})
    assert (failed.error, failed.error_type) == ("Unhandled", "LeaseLost")
    payload: Any = failed.payload
    assert payload["errorMessage"] == "gone"
    assert payload["stackTrace"]


def test_an_environment_is_used_again_and_one_call_at_a_time(aws: LocalAws) -> None:
    first: Any = aws.invoke("puppet", {"do": "calls"}).payload
    second: Any = aws.invoke("puppet", {"do": "calls"}).payload
    assert (second["pid"], second["calls"]) == (first["pid"], first["calls"] + 1)
    sleeping = {"do": "sleep", "seconds": 0.5}
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(aws.invoke, "puppet", sleeping) for _ in range(2)]
        assert all(each.result().error is None for each in busy)


def test_a_call_past_the_timeout_is_killed(aws: LocalAws) -> None:
    before: Any = aws.invoke("short", {"do": "calls"}).payload
    failed = aws.invoke("short", {"do": "sleep", "seconds": 30})
    assert failed.error_type == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in str(failed.payload)
    eventually(lambda: not lives(before["pid"]))


def test_what_a_killed_call_started_dies_with_it(aws: LocalAws) -> None:
    started: Any = aws.invoke("short", {"do": "spawn", "seconds": 60}).payload
    assert psutil.pid_exists(started)
    aws.invoke("short", {"do": "sleep", "seconds": 30})
    eventually(lambda: not lives(started))


@pytest.mark.parametrize(
    ("event", "how"), [({"do": "exit", "code": 3}, "exit status 3"), ({"do": "kill"}, "signal: 9")]
)
def test_a_process_that_ends_in_mid_call_is_an_exit_error(aws: LocalAws, event: object, how: str) -> None:
    failed = aws.invoke("puppet", event)
    assert failed.error_type == "Runtime.ExitError"
    assert how in str(failed.payload)
    assert aws.invoke("puppet", {"do": "echo", "value": 1}).payload == 1


def test_kill_ends_running_calls(aws: LocalAws, records_file: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(aws.invoke, "puppet", {"do": "sleep", "seconds": 60, "name": "killed"})
        eventually(lambda: {"sleeps": "killed"} in records(records_file))
        assert aws.kill("puppet") >= 1
        assert call.result(timeout=10).error_type == "Runtime.ExitError"


def test_a_handler_that_cannot_be_imported_is_an_import_error(aws: LocalAws) -> None:
    assert aws.invoke("broken", {}).error_type == "Runtime.ImportModuleError"


def test_a_result_that_is_no_json_is_a_marshal_error(aws: LocalAws) -> None:
    assert aws.invoke("puppet", {"do": "odd"}).error_type == "Runtime.MarshalError"


def test_sizes_are_limited_both_ways(aws: LocalAws) -> None:
    assert aws.invoke("puppet", {"do": "blob", "size": LIMIT - 2}).error is None
    assert aws.invoke("puppet", {"do": "blob", "size": LIMIT}).error_type == "Function.ResponseSizeTooLarge"
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        aws.clients.functions().invoke(FunctionName=NAME, Payload=json.dumps("x" * LIMIT).encode())
    assert aws.invoke("puppet", {"do": "echo", "value": 1}).payload == 1


def test_each_tenant_has_an_environment_of_its_own(aws: LocalAws) -> None:
    one: Any = aws.invoke("tenants", {"do": "calls"}, tenant="one").payload
    two: Any = aws.invoke("tenants", {"do": "calls"}, tenant="two").payload
    again: Any = aws.invoke("tenants", {"do": "calls"}, tenant="one").payload
    assert one["pid"] != two["pid"]
    assert (again["pid"], again["calls"]) == (one["pid"], 2)
    context: Any = aws.invoke("tenants", {"do": "context"}, tenant="one").payload
    assert context["tenant"] == "one"


def test_a_tenant_is_required_exactly_where_tenants_are_isolated(aws: LocalAws) -> None:
    with pytest.raises(InvocationRefused, match="Add a valid tenant ID"):
        aws.invoke("tenants", {"do": "calls"})
    with pytest.raises(InvocationRefused, match="Remove the tenant ID"):
        aws.invoke("puppet", {"do": "calls"}, tenant="one")


def test_boto3_invokes_with_a_tenant_and_reads_the_log(aws: LocalAws) -> None:
    client = aws.clients.functions()
    answer = client.invoke(
        FunctionName="discord-agent-tenants",
        Payload=b'{"do": "print", "text": "seen"}',
        TenantId="three",
        LogType="Tail",
    )
    log = base64.b64decode(answer["LogResult"]).decode()
    assert answer["StatusCode"] == 200
    assert log.startswith("START RequestId")
    assert "\nseen\n" in log
    assert "REPORT RequestId" in log


def test_boto3_sees_function_errors_and_refusals(aws: LocalAws) -> None:
    client = aws.clients.functions()
    failed = client.invoke(FunctionName=NAME, Payload=b'{"do": "raise", "error": "Own"}')
    assert (failed["FunctionError"], json.load(failed["Payload"])["errorType"]) == ("Unhandled", "Own")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody")
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.invoke(FunctionName="discord-agent-tenants")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName=NAME, Payload=b"{")
    assert client.invoke(FunctionName=NAME, InvocationType="DryRun")["StatusCode"] == 204


def test_reserved_concurrency_throttles(aws: LocalAws, records_file: Path) -> None:
    client = aws.clients.functions()
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(aws.invoke, "single", {"do": "sleep", "seconds": 1, "name": "reserved"})
        eventually(lambda: {"sleeps": "reserved"} in records(records_file))
        with pytest.raises(client.exceptions.TooManyRequestsException):
            client.invoke(FunctionName="discord-agent-single", Payload=b'{"do": "calls"}')
        assert busy.result().error is None


def test_an_asynchronous_call_is_tried_three_times(aws: LocalAws, records_file: Path) -> None:
    event = {"do": "fail_at_first", "name": "asynchronous", "times": 9, "error": "Own"}
    answer = aws.clients.functions().invoke(
        FunctionName=NAME, Payload=json.dumps(event).encode(), InvocationType="Event"
    )
    counter = Path(f"{records_file}asynchronous")
    assert answer["StatusCode"] == 202
    eventually(lambda: counter.exists() and counter.read_text(encoding="utf-8") == "3")
    # A fourth attempt would come with the next one's pause at the latest.
    aws.invoke("puppet", {"do": "sleep", "seconds": 0.2})
    assert counter.read_text(encoding="utf-8") == "3"


def test_what_no_asynchronous_attempt_could_handle_goes_to_the_functions_dead_letters(aws: LocalAws) -> None:
    event = json.dumps({"do": "raise", "error": "Own", "message": "dead"}).encode()
    aws.clients.functions().invoke(FunctionName="discord-agent-mourned:live", Payload=event, InvocationType="Event")
    buried = aws.clients.sqs().receive_message(QueueUrl=aws.queue_url("dead"), WaitTimeSeconds=20)["Messages"]
    assert [message["Body"].encode() for message in buried] == [event]


def test_lines_reach_the_listener_and_the_log(aws: LocalAws, lines: list[tuple[str, str]]) -> None:
    aws.invoke("puppet", {"do": "print", "text": "to be kept"})
    eventually(lambda: ("puppet", "to be kept") in lines)


def test_idle_environments_end(records_file: Path) -> None:
    with LocalAws(puppet(records_file), idle_seconds=0.2) as aws:
        used: Any = aws.invoke("puppet", {"do": "calls"}).payload
        eventually(lambda: not lives(used["pid"]))
        fresh: Any = aws.invoke("puppet", {"do": "calls"}).payload
        assert fresh["calls"] == 1


def test_stopping_leaves_no_process_behind(records_file: Path) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with LocalAws(puppet(records_file)) as aws:
        aws.invoke("puppet", {"do": "spawn", "seconds": 60})
        assert {child.pid for child in psutil.Process().children(recursive=True)} > before
    eventually(lambda: {child.pid for child in psutil.Process().children(recursive=True)} <= before)


def test_an_environment_dies_with_the_process_that_started_it(records_file: Path, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import json, sys, time\n"
        "from pathlib import Path\n"
        "from devstack.aws.stack import LocalAws\n"
        "from tests.integration.devstack.aws.functions.test_process_host import puppet\n"
        f"aws = LocalAws(puppet(Path({str(records_file)!r})))\n"
        "aws.start()\n"
        "used = aws.invoke('puppet', {'do': 'calls'}).payload['pid']\n"
        "started = aws.invoke('puppet', {'do': 'spawn', 'seconds': 60}).payload\n"
        "print(json.dumps([used, started]), flush=True)\n"
        "time.sleep(60)\n",
        encoding="utf-8",
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
    )
    assert parent.stdout is not None
    with parent.stdout as output:
        pids = json.loads(output.readline())
        children = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    eventually(lambda: not any(lives(pid) for pid in (*pids, *children)), seconds=10)


def puppet(records_file: Path) -> Declared:
    """Nothing but the puppet."""
    return Declared(system(function(records_file)), root=ROOT, functions_root=FUNCTIONS)


def lives(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
