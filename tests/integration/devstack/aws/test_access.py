"""What a role is not granted is denied here too, in the words of each service."""

from collections.abc import Iterator
from copy import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from devstack.aws.clients import Clients
from devstack.aws.declared import Declared
from devstack.aws.names import Endpoints, credentials_of, role_arn
from devstack.aws.stack import LocalAws
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.tools.access import WorkspaceCredentials
from discord_agent.adapters.workspace.layout import base_bundle_key, control_key, pack_prefix
from discord_agent.declaration import Bucket, Grant, Index, Kind, Queue, Ref, Role, System, Table
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.system import SYSTEM
from tests.support.local_aws import FUNCTIONS, MACHINES, ROOT, States, function, system

READER, NOBODY = "reader", "nobody"
THREAD, ELSEWHERE, EXECUTION = ThreadId("100"), ThreadId("200"), ExecutionId("m-1")
DENIED = {"AccessDenied", "AccessDeniedException", "403"}


def declared(folder: Path) -> System:
    table = Ref(Kind.TABLE, "table")
    read = Grant(("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"), (table,))
    files = Grant(("s3:GetObject",), (Ref(Kind.BUCKET, "bucket", "mine/*"),), reason="a test")
    return system(
        function(folder / "records", grants=(read,)),
        tables={"table": Table("a-table", "pk", indexes=(Index("by-pk", "pk", "by"),))},
        queues={"queue": Queue("a-queue")},
        buckets={"bucket": Bucket("a-bucket")},
        secrets={"secret": "/a/secret"},
        roles={
            "machines": replace(MACHINES, grants=()),
            READER: Role(READER, "reads", (), (read, files)),
            NOBODY: Role(NOBODY, "may nothing", (), ()),
        },
    )


@pytest.fixture(scope="module", params=["in_process", "process"])
def aws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder = tmp_path_factory.mktemp("access")
    origin = Declared(declared(folder), root=ROOT, functions_root=FUNCTIONS)
    with LocalAws(origin, mode=request.param, time_scale=0.01, templates=False) as running:
        running.clients.s3().put_object(Bucket="a-bucket", Key="mine/there", Body=b"x")
        yield running


def error(clients: Clients, service: str, operation: str, **parameters: Any) -> str:
    """The code of the error that an operation meets, "" when it meets none."""
    try:
        getattr(clients.get(service), operation)(**parameters)
    except ClientError as raised:
        return str(raised.response["Error"]["Code"])
    return ""


def test_a_function_does_what_its_own_role_is_granted_and_nothing_else(aws: LocalAws) -> None:
    key = {"TableName": "a-table", "Key": {"pk": {"S": "1"}}}

    def call(service: str, operation: str, parameters: Any) -> object:
        event = {"do": "aws", "service": service, "operation": operation, "parameters": parameters}
        return aws.invoke("puppet", event).payload

    assert call("dynamodb", "get_item", key) == ""
    assert call("dynamodb", "delete_item", key) == "AccessDeniedException"
    assert call("s3", "get_object", {"Bucket": "a-bucket", "Key": "mine/there"}) == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("dynamodb", "scan", {"TableName": "a-table"}),
        ("sqs", "send_message", {"QueueUrl": "http://127.0.0.1/123456789012/a-queue", "MessageBody": "x"}),
        ("s3", "list_objects_v2", {"Bucket": "a-bucket"}),
        ("s3", "head_object", {"Bucket": "a-bucket", "Key": "mine/there"}),
        ("s3", "put_object", {"Bucket": "a-bucket", "Key": "mine/there", "Body": b"y"}),
        ("sts", "assume_role", {"RoleArn": role_arn(READER), "RoleSessionName": "session"}),
        ("iam", "list_roles", {}),
        ("lambda", "invoke", {"FunctionName": "discord-agent-puppet:live"}),
        ("stepfunctions", "list_state_machines", {}),
        ("ssm", "get_parameter", {"Name": "/a/secret"}),
        ("logs", "create_log_group", {"logGroupName": "/a"}),
        ("cloudformation", "list_stacks", {}),
    ],
)
def test_every_service_denies_in_its_own_words(
    aws: LocalAws, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    assert error(aws.clients_of(role_arn(NOBODY)), service, operation, **parameters) in DENIED


def test_the_administrator_may_do_everything(aws: LocalAws) -> None:
    assert error(aws.clients, "iam", "list_roles") == ""
    assert error(aws.clients, "dynamodb", "scan", TableName="a-table") == ""


def test_a_key_that_nobody_was_given_opens_nothing(aws: LocalAws) -> None:
    url = {name: aws.endpoints[name] for name in aws.endpoints if name.startswith("AWS_ENDPOINT")}
    endpoints = Endpoints(url["AWS_ENDPOINT_URL"], url["AWS_ENDPOINT_URL_SFN"], url["AWS_ENDPOINT_URL_LAMBDA"])
    stranger = Clients(endpoints, credentials_of("arn:aws:iam::123456789012:role/stranger"))
    assert error(stranger, "dynamodb", "scan", TableName="a-table") == "UnrecognizedClientException"
    assert error(stranger, "s3", "list_objects_v2", Bucket="a-bucket") == "InvalidAccessKeyId"
    assert error(stranger, "stepfunctions", "list_state_machines") == "UnrecognizedClientException"
    assert error(stranger, "lambda", "invoke", FunctionName="discord-agent-puppet") == "UnrecognizedClientException"


def test_an_index_is_no_part_of_its_table_and_a_transaction_needs_all_its_parts(aws: LocalAws) -> None:
    reader = aws.clients_of(role_arn(READER))
    query = {
        "TableName": "a-table",
        "KeyConditionExpression": "pk = :k",
        "ExpressionAttributeValues": {":k": {"S": "1"}},
    }
    put = {"Put": {"TableName": "a-table", "Item": {"pk": {"S": "1"}}}}
    check = {"ConditionCheck": {"TableName": "a-table", "Key": {"pk": {"S": "2"}}, "ConditionExpression": "pk <> :k"}}
    assert error(reader, "dynamodb", "query", **query) == ""
    assert error(reader, "dynamodb", "query", **query, IndexName="by-pk") == "AccessDeniedException"
    assert error(reader, "dynamodb", "transact_write_items", TransactItems=[put]) == ""
    assert error(reader, "dynamodb", "transact_write_items", TransactItems=[put, check]) == "AccessDeniedException"


def test_only_who_may_list_a_bucket_hears_that_an_object_is_not_there(aws: LocalAws) -> None:
    reader, missing = aws.clients_of(role_arn(READER)), {"Bucket": "a-bucket", "Key": "mine/missing"}
    assert error(reader, "s3", "get_object", Bucket="a-bucket", Key="mine/there") == ""
    assert (error(reader, "s3", "get_object", **missing), error(reader, "s3", "head_object", **missing)) == (
        "AccessDenied",
        "403",
    )
    assert error(aws.clients, "s3", "get_object", **missing) == "NoSuchKey"


def test_a_machine_calls_only_what_its_role_may_call(aws: LocalAws) -> None:
    states = States(aws)
    ended = states.run({"A": states.call({"do": "echo"})})
    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.AccessDeniedException")
    assert "lambda:InvokeFunction" in ended["cause"]


@pytest.fixture(scope="module")
def product() -> Iterator[LocalAws]:
    """The whole declaration; no function is called."""
    with LocalAws(Declared(SYSTEM, root=ROOT), mode="in_process") as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(product: LocalAws) -> Clients:
    """Clients with the credentials that the sandbox is lent, as ``turn`` gets them."""
    bucket = SYSTEM.buckets["artifacts"].name
    for thread in (THREAD, ELSEWHERE):
        for key in (f"{pack_prefix(thread)}old", f"threads/{thread}/runs/m-1/context/0001", base_bundle_key(thread)):
            product.clients.s3().put_object(Bucket=bucket, Key=key, Body=b"x")
    turn = product.clients_of(role_arn(SYSTEM.functions["turn"].physical_name))
    workspace = role_arn(SYSTEM.roles["workspace"].name)
    lent: Any = WorkspaceCredentials(turn.get("sts"), workspace, bucket, SystemClock()).credentials(THREAD, EXECUTION)
    url = product.endpoints["AWS_ENDPOINT_URL"]
    keys: Any = {
        "aws_access_key_id": lent["access_key_id"],
        "aws_secret_access_key": lent["secret_access_key"],
        "aws_session_token": lent["session_token"],
    }
    return Clients(Endpoints(url, url, url), keys)


def on(key: str, **more: Any) -> dict[str, Any]:
    return {"Bucket": SYSTEM.buckets["artifacts"].name, "Key": key, **more}


def test_the_sandbox_reads_the_packs_and_the_bundle_of_its_thread(sandbox: Clients) -> None:
    assert error(sandbox, "s3", "get_object", **on(f"{pack_prefix(THREAD)}old")) == ""
    assert error(sandbox, "s3", "get_object", **on(base_bundle_key(THREAD))) == ""


def test_the_sandbox_reads_no_other_thread(sandbox: Clients) -> None:
    assert error(sandbox, "s3", "get_object", **on(f"{pack_prefix(ELSEWHERE)}old")) == "AccessDenied"
    assert error(sandbox, "s3", "head_object", **on(control_key(THREAD, ExecutionId("m-2")))) == "403"


def test_the_sandbox_adds_packs_and_replaces_none(sandbox: Clients) -> None:
    new = f"{pack_prefix(THREAD)}new"
    assert error(sandbox, "s3", "put_object", **on(new, Body=b"1", IfNoneMatch="*")) == ""
    assert error(sandbox, "s3", "put_object", **on(new, Body=b"2")) == "AccessDenied"
    assert error(sandbox, "s3", "put_object", **on(new, Body=b"2", IfNoneMatch="*")) == "PreconditionFailed"
    assert error(sandbox, "s3", "put_object", **on(f"{pack_prefix(ELSEWHERE)}new", Body=b"1", IfNoneMatch="*")) != ""
    assert error(sandbox, "s3", "delete_object", **on(new)) == "AccessDenied"


def test_the_sandbox_touches_nothing_of_the_runs(sandbox: Clients) -> None:
    key = f"threads/{THREAD}/runs/m-1/context/0001"
    assert error(sandbox, "s3", "get_object", **on(key)) == "AccessDenied"
    assert error(sandbox, "s3", "put_object", **on(key, Body=b"1", IfNoneMatch="*")) == "AccessDenied"


def test_the_sandbox_lists_nothing_but_what_it_looks_for(sandbox: Clients) -> None:
    bucket = SYSTEM.buckets["artifacts"].name
    assert error(sandbox, "s3", "list_objects_v2", Bucket=bucket) == "AccessDenied"
    assert error(sandbox, "s3", "list_objects_v2", Bucket=bucket, Prefix=f"threads/{THREAD}/") == "AccessDenied"
    assert error(sandbox, "s3", "list_objects_v2", Bucket=bucket, Prefix=control_key(THREAD, EXECUTION)) == ""


@pytest.mark.parametrize("owner", ["sandbox", "checkpoint"])
def test_nobody_but_turn_gets_the_workspaces_credentials(product: LocalAws, owner: str) -> None:
    own = product.clients_of(role_arn(SYSTEM.functions[owner].physical_name))
    taken = {"RoleArn": role_arn(SYSTEM.roles["workspace"].name), "RoleSessionName": "session"}
    assert error(own, "sts", "assume_role", **taken) == "AccessDenied"


def test_the_sandboxes_own_role_may_touch_nothing_here(product: LocalAws) -> None:
    own = product.clients_of(role_arn(SYSTEM.functions["sandbox"].physical_name))
    assert error(own, "s3", "get_object", **on(f"{pack_prefix(THREAD)}old")) == "AccessDenied"
    assert error(own, "dynamodb", "scan", TableName=SYSTEM.tables["sessions"].name) == "AccessDeniedException"
    stream = {"logGroupName": SYSTEM.functions["sandbox"].log_group, "logStreamName": "s"}
    assert error(own, "logs", "create_log_stream", **stream) not in DENIED
