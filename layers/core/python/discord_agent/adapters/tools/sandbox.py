"""The tools of the sandbox function: one invocation per round, tool calls as MCP requests inside it."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from copy import replace
from typing import TYPE_CHECKING, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from msgspec.structs import asdict
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from discord_agent.adapters.metering import meter
from discord_agent.adapters.tools.access import WorkspaceCredentials
from discord_agent.adapters.tools.mcp import Request, request_for, result_of
from discord_agent.adapters.tracing import XRayTracer
from discord_agent.adapters.workspace.codec import from_inline, inline
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.conversation import Json, ToolCall, ToolResult
from discord_agent.domain.errors import InvalidInput, SandboxUnavailable, WorkspaceDamaged
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import ToolRound, WorkspaceAccess

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""What Lambda accepts in a synchronous invocation."""

_MEANWHILE_SECONDS: Final = 0.5
_MOST_REQUESTS: Final = 100_000

LAMBDA_CONFIG: Final = Config(
    connect_timeout=5,
    # Longer than the sandbox may take, and never sent twice: a round that ran must not run again.
    read_timeout=660,
    retries={"total_max_attempts": 1},
    tcp_keepalive=True,
)
"""How the Lambda client for SandboxTools has to be configured."""


class _Requests(BaseModel):
    """What the sandbox asked of S3, by its own account: it only ever shows in an estimate, so it is bounded and believed."""

    reads: int = Field(default=0, ge=0, le=_MOST_REQUESTS)
    writes: int = Field(default=0, ge=0, le=_MOST_REQUESTS)


class _Answer(BaseModel):
    """What the sandbox function returns."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    responses: list[dict[str, object]]
    manifest: str | None = None
    requests: _Requests = _Requests()


class SandboxTools(Struct, frozen=True):
    """The tools of the sandbox function ``function``, working on workspaces in ``bucket``."""

    lambda_client: "LambdaClient"
    function: str
    bucket: str
    credentials: WorkspaceCredentials
    tracer: XRayTracer

    def run(
        self, calls: Sequence[ToolCall], access: WorkspaceAccess, *, meanwhile: Callable[[], object] | None = None
    ) -> ToolRound:
        """Run a round's calls in one go: reads in parallel, writes in order; ``meanwhile`` is called twice a second.

        Arguments that are not JSON are answered here. Raises SandboxUnavailable, InvalidInput for a round that does
        not fit into one invocation, WorkspaceDamaged if the sandbox could not restore the files.
        """
        requests = [request_for(call, number) for number, call in enumerate(calls)]
        bodies = [request.body for request in requests if request.body is not None]
        answer = _Answer(responses=[])
        if bodies:
            with self.tracer.span("sandbox", calls=len(bodies)):
                answer = self._invoke(bodies, access, meanwhile)
        responses = {response.get("id"): response for response in answer.responses}
        results = tuple(
            _result(call, request, responses.get(number))
            for number, (call, request) in enumerate(zip(calls, requests, strict=True))
        )
        return ToolRound(results, self._manifest(answer, access))

    def _invoke(self, bodies: list[Json], access: WorkspaceAccess, meanwhile: Callable[[], object] | None) -> _Answer:
        payload = json.dumps(
            {
                "thread_id": access.thread_id,
                "execution_id": access.execution_id,
                "bucket": self.bucket,
                "manifest": inline(access.manifest, access.thread_id),
                "credentials": self.credentials.credentials(access.thread_id, access.execution_id),
                "tool_credentials": [asdict(credential) for credential in access.credentials],
                "requests": bodies,
            }
        ).encode()
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise InvalidInput(
                f"the tool calls and the list of {len(access.manifest.files)} files take {len(payload) >> 20} MB, "
                f"over Lambda's {MAX_PAYLOAD_BYTES >> 20} MB; write less at once"
            )
        with ThreadPoolExecutor(1, thread_name_prefix="sandbox") as beside:
            calling = beside.submit(self._call, payload, access)
            while meanwhile and not wait((calling,), timeout=_MEANWHILE_SECONDS).done:
                meanwhile()
            body = calling.result()
        try:
            answer = _Answer.model_validate_json(body)
        except ValidationError as error:
            raise SandboxUnavailable("the sandbox's answer is malformed") from error
        meter().add(CloudUse(object_reads=answer.requests.reads, object_writes=answer.requests.writes))
        return answer

    def _call(self, payload: bytes, access: WorkspaceAccess) -> bytes:
        try:
            answer = self.lambda_client.invoke(FunctionName=self.function, TenantId=access.thread_id, Payload=payload)
            body = answer["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            raise SandboxUnavailable(f"the sandbox did not answer: {error}") from error
        if answer.get("FunctionError"):
            raise _failure(body)
        return body

    def _manifest(self, answer: _Answer, access: WorkspaceAccess) -> Manifest | None:
        if answer.manifest is None:
            return None
        # Commands may have been at work on it: paths and packs are checked, and the base is not theirs to choose.
        return replace(from_inline(answer.manifest, access.thread_id), base=access.manifest.base)


def _result(call: ToolCall, request: Request, response: dict[str, object] | None) -> ToolResult:
    if request.body is None:
        return ToolResult(call.id, call.name, ok=False, text=request.fault)
    if response is None:
        raise SandboxUnavailable(f"the sandbox did not answer {call.name}")
    return result_of(call, response)


def _failure(body: bytes) -> SandboxUnavailable | WorkspaceDamaged:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    fields = document if isinstance(document, dict) else {}
    kind, message = str(fields.get("errorType", "unknown error")), str(fields.get("errorMessage", ""))[:300]
    if kind == WorkspaceDamaged.__name__:
        return WorkspaceDamaged(message)
    return SandboxUnavailable(f"the sandbox failed: {kind}: {message}")
