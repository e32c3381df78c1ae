import io
import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from discord_agent.adapters.metering import meter
from discord_agent.adapters.tools.access import WorkspaceCredentials
from discord_agent.adapters.tools.sandbox import SandboxTools
from discord_agent.adapters.tools.stopping import StopMarkers
from discord_agent.adapters.tracing import XRayTracer
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain.conversation import Json, ToolCall
from discord_agent.domain.errors import InvalidInput, SandboxUnavailable, WorkspaceDamaged
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import WorkspaceAccess
from discord_agent.sandbox.service import Sandbox
from tests.support.buckets import BUCKET, keys
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREAD = ThreadId("77")
EXECUTION = ExecutionId("m-78")


class Lambda:
    """Lambda's Invoke, with a function that runs in this process."""

    def __init__(self, function: Callable[[Json], Any]) -> None:
        self._function = function
        self.payloads: list[Json] = []
        self.tenants: list[str] = []

    def invoke(self, *, FunctionName: str, TenantId: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's
        self.tenants.append(TenantId)
        self.payloads.append(json.loads(Payload))
        try:
            return {"Payload": io.BytesIO(json.dumps(self._function(self.payloads[-1])).encode())}
        except Exception as error:  # noqa: BLE001 - a function's error is a document
            document = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(document).encode())}


def tools(function: Lambda, s3: "S3Client") -> SandboxTools:
    sts = boto3.client("sts", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    role = "arn:aws:iam::123456789012:role/discord-agent-workspace-access"
    credentials = WorkspaceCredentials(sts, role, BUCKET, ManualClock())
    return SandboxTools(cast("Any", function), "sandbox", BUCKET, credentials, XRayTracer("", str, ManualClock()))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox("/usr/local/bin:/usr/bin:/bin")
    yield sandbox
    sandbox.close()


EMPTY = Manifest()


def access(manifest: Manifest = EMPTY) -> WorkspaceAccess:
    return WorkspaceAccess(THREAD, EXECUTION, manifest)


def call(number: int, name: str, **arguments: Any) -> ToolCall:
    return ToolCall(f"call-{number}", name, json.dumps(arguments))


def test_somebody_is_called_meanwhile(s3: "S3Client", sandbox: Sandbox) -> None:
    called = threading.Event()

    def wait_until_called(event: Json) -> Any:
        assert called.wait(10)
        return sandbox.handle(event, 100)

    done = tools(Lambda(wait_until_called), s3).run([call(1, "list_files")], access(), meanwhile=called.set)
    assert done.results[0].ok


def test_a_round_is_one_invocation_for_the_threads_own_tenant(s3: "S3Client", sandbox: Sandbox) -> None:
    function = Lambda(lambda event: sandbox.handle(event, 100))
    toolbox = tools(function, s3)
    done = toolbox.run(
        [
            call(1, "write_file", path="a", content="one"),
            ToolCall("call-2", "read_file", "{not json"),
            call(3, "read_file", path="a"),
            call(4, "bash", command="exit 4"),
            call(5, "dance"),
        ],
        access(),
    )
    assert function.tenants == [THREAD]
    assert [result.call_id for result in done.results] == [f"call-{number}" for number in range(1, 6)]
    assert [result.ok for result in done.results] == [True, False, True, False, False]
    assert done.results[2].text == "one"
    assert done.results[3].facts == {"exit_code": 4, "paths_changed": []}
    assert done.manifest is not None
    assert S3Workspaces(s3, BUCKET).read(THREAD, done.manifest, "a") == b"one"


def test_the_sandbox_writes_packs_and_nothing_else(s3: "S3Client", sandbox: Sandbox) -> None:
    toolbox = tools(Lambda(lambda event: sandbox.handle(event, 100)), s3)
    toolbox.run([call(1, "write_file", path="a", content="one")], access())
    assert [key.rsplit("/", 1)[0] for key in keys(s3)] == [f"threads/{THREAD}/workspace/packs"]


def test_what_the_sandbox_asks_of_the_bucket_is_counted_for_the_run(s3: "S3Client", sandbox: Sandbox) -> None:
    toolbox = tools(Lambda(lambda event: sandbox.handle(event, 100)), s3)
    before = meter().total
    toolbox.run([call(1, "write_file", path="a", content="one")], access())
    assert (meter().total - before).object_writes == 1


def test_an_account_of_requests_that_cannot_be_true_is_refused(s3: "S3Client") -> None:
    toolbox = tools(Lambda(lambda _: {"responses": [], "requests": {"reads": -1}}), s3)
    with pytest.raises(SandboxUnavailable, match="malformed"):
        toolbox.run([call(1, "list_files")], access())


def test_the_base_is_kept_whatever_the_sandbox_says(s3: "S3Client", sandbox: Sandbox) -> None:
    def forge(event: Json) -> Json:
        return sandbox.handle({**event, "manifest": ""}, 100)

    given = Manifest(base="a" * 40)
    done = tools(Lambda(forge), s3).run([call(1, "write_file", path="a", content="x")], access(given))
    assert done.manifest is not None
    assert done.manifest.base == "a" * 40


def test_calls_without_valid_arguments_alone_invoke_nothing(s3: "S3Client") -> None:
    function = Lambda(lambda _: None)
    done = tools(function, s3).run([ToolCall("1", "read_file", "oops")], access())
    assert (function.payloads, done.results[0].ok, done.manifest) == ([], False, None)


def test_what_a_broken_environment_answers_is_worth_a_retry(s3: "S3Client") -> None:
    def die(_: Json) -> None:
        raise RuntimeError("Runtime.ExitError")

    functions: list[Callable[[Json], Any]] = [
        die,
        lambda _: None,
        lambda _: {"responses": []},
        lambda _: {"responses": [{"id": 0}]},
    ]
    for function in functions:
        with pytest.raises(SandboxUnavailable):
            tools(Lambda(function), s3).run([call(1, "list_files")], access())


def test_a_workspace_that_cannot_be_restored_is_no_matter_for_a_retry(s3: "S3Client", sandbox: Sandbox) -> None:
    manifest = S3Workspaces(s3, BUCKET).add_files(THREAD, Manifest(), {"a": b"a"})
    for key in keys(s3):
        s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(WorkspaceDamaged):
        tools(Lambda(lambda event: sandbox.handle(event, 100)), s3).run([call(1, "list_files")], access(manifest))


def test_a_forged_manifest_is_refused(s3: "S3Client") -> None:
    answer = {
        "responses": [
            {"jsonrpc": "2.0", "id": 0, "result": {"content": [], "isError": False, "resultType": "complete"}}
        ],
        "manifest": "Zm9yZ2Vk",
    }
    with pytest.raises(WorkspaceDamaged):
        tools(Lambda(lambda _: answer), s3).run([call(1, "list_files")], access())


def test_a_round_that_is_too_large_for_lambda_is_refused_before_it_is_sent(s3: "S3Client") -> None:
    function = Lambda(lambda _: None)
    with pytest.raises(InvalidInput, match="6 MB"):
        tools(function, s3).run([call(1, "write_file", path="a", content="x" * 7_000_000)], access())
    assert function.payloads == []


def test_a_stop_leaves_the_marker_that_the_sandbox_looks_for(s3: "S3Client", sandbox: Sandbox) -> None:
    toolbox = tools(Lambda(lambda event: sandbox.handle(event, 100)), s3)
    StopMarkers(s3, BUCKET).stop(THREAD, EXECUTION)
    [interrupted] = toolbox.run([call(1, "bash", command="sleep 60")], access()).results
    assert interrupted.facts["interrupted"] is True
