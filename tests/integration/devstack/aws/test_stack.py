"""The stack as a whole: provisioning, restarts, errors."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devstack.aws.data_folder import DataFolder
from devstack.aws.declared import Declared
from devstack.aws.errors import DataInUse, MissingDefinition, PortInUse, StackError
from devstack.aws.stack import LocalAws, Ports
from discord_agent.declaration import Bucket, Index, Kind, Queue, Ref, Role, Source, System, Table
from discord_agent.system import SYSTEM
from tests.support.eventually import eventually
from tests.support.local_aws import FUNCTIONS, ROOT, States, function, machine, records, system

WAITING: dict[str, Any] = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86400, "End": True}}}


def declared(folder: Path) -> System:
    """One of each."""
    references: tuple[tuple[str, Ref | str], ...] = (
        ("TABLE", Ref(Kind.TABLE, "table")),
        ("QUEUE", Ref(Kind.QUEUE, "queue")),
        ("BUCKET", Ref(Kind.BUCKET, "bucket")),
        ("SECRET", Ref(Kind.SECRET, "secret")),
        ("ROLE", Ref(Kind.ROLE, "role")),
        ("MACHINE", Ref(Kind.MACHINE, "waiting")),
        ("FUNCTION", Ref(Kind.FUNCTION, "puppet")),
        ("PARAMETER", Ref(Kind.PARAMETER, "PARAMETER")),
        ("EMPTY", Ref(Kind.PARAMETER, "EMPTY")),
    )
    return system(
        function(folder / "records", environment=references, on_execution_status=True, sources=(Source("consumed"),)),
        tables={"table": Table("a-table", "pk", "sk", indexes=(Index("by-when", "pk", "when"),))},
        queues={"queue": Queue("a-queue", visibility=77), "consumed": Queue("consumed")},
        buckets={"bucket": Bucket("a-bucket")},
        secrets={"secret": "/a/secret"},
        roles={"role": Role("a-role", "for tests", (), ())},
        machines={"waiting": machine(folder / "machines", "waiting", WAITING)},
        parameters={"PARAMETER": "default", "EMPTY": ""},
    )


def stack(folder: Path, **options: Any) -> LocalAws:
    return LocalAws(origin(folder), **{"data": folder / "data", "mode": "in_process", **options})


def origin(folder: Path, **options: Any) -> Declared:
    options = {"secrets": {"secret": "hidden"}, "machines_root": folder / "machines", **options}
    return Declared(declared(folder), root=ROOT, functions_root=FUNCTIONS, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[LocalAws]:
    """One stack for the tests that only look at it."""
    with LocalAws(
        origin(folder, parameters={"PARAMETER": "given"}), data=folder / "data", mode="in_process"
    ) as running:
        yield running


def test_everything_declared_is_there(aws: LocalAws) -> None:
    clients = aws.clients
    table = clients.dynamodb().describe_table(TableName="a-table")["Table"]
    ttl = clients.dynamodb().describe_time_to_live(TableName="a-table")["TimeToLiveDescription"]
    queue = clients.sqs().get_queue_attributes(QueueUrl=aws.queue_url("queue"), AttributeNames=["All"])
    role = aws.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/a-role", RoleSessionName="run", Policy="{}"
    )
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-when"]
    assert ttl["AttributeName"] == "ttl"
    assert queue["Attributes"]["VisibilityTimeout"] == "77"
    assert clients.ssm().get_parameter(Name="/a/secret", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert role["Credentials"]["SessionToken"]
    assert clients.s3().list_objects_v2(Bucket="a-bucket")["KeyCount"] == 0
    definition = clients.stepfunctions().describe_state_machine(stateMachineArn=aws.machine_arn("waiting"))
    assert json.loads(definition["definition"]) == WAITING


def test_references_resolve_to_what_their_kind_says(aws: LocalAws) -> None:
    environment = aws.environment("puppet")
    assert {
        name: environment.get(name) for name in ("TABLE", "BUCKET", "SECRET", "FUNCTION", "PARAMETER", "EMPTY")
    } == {
        "TABLE": "a-table",
        "BUCKET": "a-bucket",
        "SECRET": "/a/secret",
        "FUNCTION": "discord-agent-puppet:live",
        "PARAMETER": "given",
        "EMPTY": None,
    }
    assert environment["QUEUE"] == aws.queue_url("queue")
    assert environment["MACHINE"] == f"{aws.machine_arn('waiting')}:live"
    assert environment["ROLE"] == "arn:aws:iam::123456789012:role/a-role"


def test_the_endpoints_point_another_processs_boto3_here(aws: LocalAws) -> None:
    code = "import boto3; print(boto3.client('stepfunctions').list_state_machines()['stateMachines'][0]['name'])"
    said = subprocess.run(
        [sys.executable, "-c", code], env=aws.endpoints, capture_output=True, check=True, timeout=60, text=True
    )
    assert said.stdout.strip() == "discord-agent-waiting"


def test_state_survives_a_stop_in_good_order_though_queues_are_polled(tmp_path: Path) -> None:
    with stack(tmp_path, autosave_seconds=3600) as aws:
        aws.clients.dynamodb().put_item(TableName="a-table", Item={"pk": {"S": "1"}, "sk": {"S": "2"}})
        aws.clients.s3().put_object(Bucket="a-bucket", Key="k", Body=b"bytes\x00")
        aws.clients.sqs().send_message(QueueUrl=aws.queue_url("queue"), MessageBody="kept")
    with stack(tmp_path) as aws:
        assert aws.clients.dynamodb().scan(TableName="a-table")["Count"] == 1
        assert aws.clients.s3().get_object(Bucket="a-bucket", Key="k")["Body"].read() == b"bytes\x00"
        message = aws.clients.sqs().receive_message(QueueUrl=aws.queue_url("queue"))["Messages"][0]
        assert message["Body"] == "kept"


def test_state_survives_kill_9_and_what_ran_is_reported_as_aborted(tmp_path: Path) -> None:
    script = tmp_path / "stack.py"
    script.write_text(
        "import json, time\n"
        "from pathlib import Path\n"
        "from tests.integration.devstack.aws.test_stack import stack\n"
        f"aws = stack(Path({str(tmp_path)!r}))\n"
        "aws.start()\n"
        "aws.clients.dynamodb().put_item(TableName='a-table', Item={'pk': {'S': '1'}, 'sk': {'S': '2'}})\n"
        "machine = aws.machine_arn('waiting')\n"
        "run = aws.clients.stepfunctions().start_execution(stateMachineArn=machine, name='ran', input='{\"a\": 1}')\n"
        "print(json.dumps(run['executionArn']), flush=True)\n"
        "time.sleep(60)\n",
        encoding="utf-8",
    )
    killed = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
    )
    assert killed.stdout is not None
    with killed.stdout as output:
        execution = json.loads(output.readline())
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    with stack(tmp_path) as aws:
        assert aws.clients.dynamodb().scan(TableName="a-table")["Count"] == 1
        event = eventually(lambda: records(tmp_path / "records"))[0]
        assert event["detail-type"] == "Step Functions Execution Status Change"
        detail = event["detail"]
        assert (detail["executionArn"], detail["status"], detail["input"]) == (execution, "ABORTED", '{"a": 1}')
        described = aws.clients.stepfunctions().describe_execution(executionArn=execution)
        assert described["status"] == "ABORTED"
        with pytest.raises(aws.clients.stepfunctions().exceptions.ExecutionAlreadyExists):
            aws.clients.stepfunctions().start_execution(stateMachineArn=aws.machine_arn("waiting"), name="ran")
    with stack(tmp_path):
        assert len(records(tmp_path / "records")) == 1


def test_a_stack_that_stops_in_good_order_reports_what_ran_at_its_next_start(tmp_path: Path) -> None:
    with stack(tmp_path) as aws:
        aws.clients.stepfunctions().start_execution(stateMachineArn=aws.machine_arn("waiting"))
    assert not records(tmp_path / "records")
    with stack(tmp_path):
        assert eventually(lambda: records(tmp_path / "records"))[0]["detail"]["status"] == "ABORTED"


@pytest.mark.parametrize("service", ["data", "states", "functions"])
def test_a_port_in_use_is_named_with_the_remedy(tmp_path: Path, service: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"port {port} .* choose another port"):
            stack(tmp_path, ports=Ports(**{service: port})).start()


def test_one_data_folder_serves_one_stack(tmp_path: Path) -> None:
    with stack(tmp_path), pytest.raises(DataInUse, match="another stack works on"):
        DataFolder(tmp_path / "data", patience=0).__enter__()


def test_the_data_plane_saves_itself_while_it_runs(tmp_path: Path) -> None:
    saved = tmp_path / "data" / "aws" / "state" / "dynamodb.json"
    said: list[str] = []
    with stack(tmp_path, autosave_seconds=0.1, on_log=lambda _, line: said.append(line)) as aws:
        aws.clients.dynamodb().put_item(TableName="a-table", Item={"pk": {"S": "to-be-kept"}, "sk": {"S": "2"}})
        eventually(lambda: saved.exists() and "to-be-kept" in saved.read_text(encoding="utf-8"))
        for child in psutil.Process().children():
            if "devstack.aws.ministack_main" in child.cmdline() and str(tmp_path) in str(child.cwd()):
                child.kill()
        eventually(lambda: any("ended by itself" in line for line in said))
    with stack(tmp_path) as aws:
        assert aws.clients.dynamodb().scan(TableName="a-table")["Count"] == 1


def test_missing_files_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "machines").mkdir()
    aws = LocalAws(Declared(SYSTEM, root=tmp_path))
    with pytest.raises(MissingDefinition, match=r"simple\.asl\.json.*turn/handler\.py"):
        aws.start()


def test_functions_that_need_different_values_cannot_share_a_process(tmp_path: Path) -> None:
    two = system(
        function(tmp_path / "one", environment=(("OWN", "1"),)),
        function(tmp_path / "one", name="other", environment=(("OWN", "2"),)),
    )
    (tmp_path / "functions").mkdir()
    for name in two.functions:
        (tmp_path / "functions" / name).symlink_to(FUNCTIONS / "puppet")
    aws = LocalAws(Declared(two, root=ROOT, functions_root=tmp_path / "functions"), mode="in_process")
    with pytest.raises(StackError, match="OWN has two values"):
        aws.start()


def test_the_environment_is_given_back_in_process(tmp_path: Path) -> None:
    before = dict(os.environ)  # noqa: TID251 (compared before and after)
    with stack(tmp_path):
        assert os.environ["TABLE"] == "a-table"  # noqa: TID251 (see above)
    assert dict(os.environ) == before  # noqa: TID251 (see above)


def test_everything_listens_on_loopback_only(aws: LocalAws) -> None:
    for url in (value for name, value in aws.endpoints.items() if name.startswith("AWS_ENDPOINT")):
        assert url.startswith("http://127.0.0.1:")
    assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_the_memory_of_the_whole_tree_is_measured(aws: LocalAws) -> None:
    memory = aws.memory()
    assert memory.processes >= 2
    assert 0 < memory.pss <= memory.rss


def test_a_secret_that_is_not_given_is_there_all_the_same(tmp_path: Path) -> None:
    with LocalAws(origin(tmp_path, secrets={}), mode="in_process") as aws:
        parameters = aws.clients.ssm()
        assert not parameters.get_parameter(Name="/a/secret", WithDecryption=True)["Parameter"]["Value"].strip()
        with pytest.raises(parameters.exceptions.ParameterNotFound):
            parameters.get_parameter(Name="/another")


@pytest.mark.parametrize(
    ("states", "status", "error"),
    [
        ({"A": {"Type": "Fail", "Error": "Own", "Cause": "told to"}}, "FAILED", "Own"),
        (
            {"A": {"Type": "Pass", "Output": "{% $states.input.none %}", "End": True}},
            "FAILED",
            "States.QueryEvaluationError",
        ),
        ({"A": {"Type": "Wait", "Seconds": 86400, "End": True}}, "TIMED_OUT", None),
    ],
)
def test_an_execution_that_does_not_succeed_is_told_to_who_asked(
    aws: LocalAws, folder: Path, states: dict[str, Any], status: str, error: str | None
) -> None:
    runner = States(aws)
    execution = runner.start(states, {"thread": 1}, TimeoutSeconds=1)
    detail = eventually(lambda: reported(folder, execution))[0]
    described = runner.ended(execution)
    assert (detail["status"], detail["error"]) == (status, error)
    assert json.loads(detail["input"]) == {"thread": 1}
    assert detail["stopDate"] == int(described["stopDate"].timestamp() * 1000)


def test_a_stop_from_outside_is_told_and_a_success_is_not(aws: LocalAws, folder: Path) -> None:
    runner = States(aws)
    succeeded = runner.start({"A": {"Type": "Pass", "End": True}})
    runner.ended(succeeded)
    stopped = runner.start({"A": {"Type": "Wait", "Seconds": 86400, "End": True}})
    runner.client.stop_execution(executionArn=stopped, error="Stop", cause="by hand")
    details = eventually(lambda: reported(folder, stopped))
    assert [(each["status"], each["error"], each["cause"]) for each in details] == [("ABORTED", "Stop", "by hand")]
    assert not reported(folder, succeeded)


def reported(folder: Path, execution: str) -> list[Any]:
    """The details of the events about an execution."""
    details = [event["detail"] for event in records(folder / "records")]
    return [detail for detail in details if detail["executionArn"] == execution]
