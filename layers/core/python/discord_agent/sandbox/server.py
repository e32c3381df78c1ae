"""The sandbox as an MCP server, revision 2026-07-28: every request stands alone and carries its own envelope."""

import itertools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
from jsonschema import Draft202012Validator
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.runner import modern_error_data, serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import InboundLadderRejection, classify_inbound_request
from mcp.shared.message import MessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import (
    INVALID_REQUEST,
    CallToolRequestParams,
    CallToolResult,
    ErrorData,
    JSONRPCError,
    JSONRPCRequest,
    JSONRPCResponse,
    ListToolsResult,
    PaginatedRequestParams,
    RequestId,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from discord_agent.domain.conversation import Json
from discord_agent.domain.sandbox_tools import DURATION_META_KEY, FACTS_META_KEY, SANDBOX_TOOLS, WRITING_TOOLS
from discord_agent.sandbox.outcome import Outcome

NAME: Final = "discord-agent-sandbox"

type CallTool = Callable[[str, Json], Awaitable[tuple[Outcome, int]]]
"""Runs a tool that exists with valid arguments; gives its outcome and how many milliseconds it took."""

_SPECS: Final = {spec.name: spec for spec in SANDBOX_TOOLS}


@dataclass(slots=True)
class _Exchange:
    """The context of one request; there is no way back to the client but the response."""

    request_id: RequestId
    transport: TransportContext = field(default_factory=lambda: TransportContext(kind="lambda", can_send_request=False))
    message_metadata: MessageMetadata = None
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)
    can_send_request: bool = False

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,  # noqa: ARG002 - the protocol of the SDK
        opts: CallOptions | None = None,  # noqa: ARG002 - the protocol of the SDK
    ) -> dict[str, Any]:
        """Refused: a server of this revision sends no requests."""
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Dropped: a response is all that an invocation gives back."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Dropped likewise."""


def build_server(call: CallTool) -> Server[dict[str, Any]]:
    """The server whose tools are SANDBOX_TOOLS and run through ``call``."""

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(
            tools=[
                Tool(
                    name=spec.name,
                    description=spec.description,
                    input_schema=spec.parameters,
                    annotations=ToolAnnotations(read_only_hint=not spec.writes),
                )
                for spec in SANDBOX_TOOLS
            ]
        )

    async def call_tool(_: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        arguments = params.arguments or {}
        fault = _fault(params.name, arguments)
        outcome, milliseconds = (Outcome(fault, ok=False), 0) if fault else await call(params.name, arguments)
        return CallToolResult(
            content=[TextContent(type="text", text=outcome.text)],
            is_error=not outcome.ok,
            _meta={FACTS_META_KEY: outcome.facts, DURATION_META_KEY: milliseconds},
        )

    return Server(NAME, on_list_tools=list_tools, on_call_tool=call_tool)


async def answer(server: Server[dict[str, Any]], body: object) -> dict[str, Any]:
    """The JSON-RPC response to a JSON-RPC request, whatever ``body`` is."""
    response = await _respond(server, body)
    dumped = response.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped if "id" in dumped else {**dumped, "id": None}


async def answer_round(server: Server[dict[str, Any]], requests: Sequence[Json]) -> list[Json]:
    """The responses to a round: neighbouring reads run at the same time, a write alone at its place in the order."""
    responses: list[Json] = [{} for _ in requests]

    async def respond(index: int) -> None:
        responses[index] = await answer(server, requests[index])

    def writes(index: int) -> bool:
        return tool_named(requests[index]) in WRITING_TOOLS

    for alone, group in itertools.groupby(range(len(requests)), key=writes):
        if alone:
            for index in group:
                await respond(index)
        else:
            async with anyio.create_task_group() as tasks:
                for index in group:
                    tasks.start_soon(respond, index)
    return responses


def tool_named(body: object) -> str:
    """The tool that a request wants to call; "" for any other request."""
    match body:
        case {"method": "tools/call", "params": {"name": str(name)}}:
            return name
        case _:
            return ""


async def _respond(server: Server[dict[str, Any]], body: object) -> JSONRPCResponse | JSONRPCError:
    try:
        request = JSONRPCRequest.model_validate(body)
    except ValidationError:
        return _error(None, ErrorData(code=INVALID_REQUEST, message="not a JSON-RPC request"))
    route = classify_inbound_request(request.model_dump())
    if isinstance(route, InboundLadderRejection):
        return _error(request.id, ErrorData(code=route.code, message=route.message, data=route.data))
    connection = Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)
    exchange = _Exchange(request.id)
    try:
        result = await serve_one(
            server, exchange, request.method, request.params, connection=connection, lifespan_state={}
        )
    except Exception as error:  # noqa: BLE001 - the SDK maps whatever a handler raises, and logs what it does not know
        return _error(request.id, modern_error_data(error))
    return JSONRPCResponse(jsonrpc="2.0", id=request.id, result=result)


def _error(request_id: RequestId | None, error: ErrorData) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=error)


def _fault(name: str, arguments: Json) -> str:
    """What is wrong with a call, in words that help to mend it; "" if nothing is."""
    spec = _SPECS.get(name)
    if spec is None:
        return f"there is no tool {name!r:.60}; there are {', '.join(_SPECS)}"
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return f"the arguments of {name} hold half a character (a lone surrogate); send whole characters"
    faults = sorted(Draft202012Validator(spec.parameters).iter_errors(arguments), key=lambda fault: list(fault.path))
    if not faults:
        return ""
    where = [f"{'.'.join(str(part) for part in fault.path) or 'arguments'}: {fault.message:.200}" for fault in faults]
    return f"wrong arguments for {name}: {'; '.join(where[:5])}. Expected: {_signature(spec.parameters)}"


def _signature(parameters: Json) -> str:
    required = parameters["required"]
    return ", ".join(
        f"{name}{'' if name in required else '?'} ({schema['type']})"
        for name, schema in parameters["properties"].items()
    )
