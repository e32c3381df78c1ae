"""The client's side of MCP, revision 2026-07-28: tool calls as JSON-RPC requests, and what their responses say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import mcp_types
from mcp_types.methods import parse_server_result, validate_client_request
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from discord_agent.domain.conversation import Json, ToolCall, ToolResult
from discord_agent.domain.errors import InvalidInput, SandboxUnavailable
from discord_agent.domain.sandbox_tools import DURATION_META_KEY, FACTS_META_KEY

_CLIENT: Final = "discord-agent"
_CLIENT_VERSION: Final = "1"
_TEXT_CHARACTERS: Final = 64_000
"""More than any tool of the sandbox returns; a sandbox that returns more is cut, not believed."""

_MOST_PATHS: Final = 1000


class _Tests(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    run: int = Field(ge=0)
    passed: int = Field(ge=0)


class _Facts(BaseModel):
    """The facts a sandbox may report; it runs a model's commands, so nothing else is taken over."""

    model_config = ConfigDict(extra="ignore", strict=True)

    paths_changed: list[str] | None = None
    exit_code: int | None = None
    interrupted: bool | None = None
    tests: _Tests | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it is sent, or the reason why it cannot be."""

    body: Json | None
    fault: str = ""


def request_for(call: ToolCall, number: int) -> Request:
    """The JSON-RPC request of a tool call; its id is the call's place in the round."""
    try:
        arguments = _arguments(call)
    except InvalidInput as error:
        return Request(None, str(error))
    params = {
        "name": call.name,
        "arguments": arguments,
        "_meta": {
            mcp_types.PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION,
            mcp_types.CLIENT_CAPABILITIES_META_KEY: {},
            mcp_types.CLIENT_INFO_META_KEY: {"name": _CLIENT, "version": _CLIENT_VERSION},
        },
    }
    validate_client_request("tools/call", LATEST_MODERN_VERSION, params)
    request = mcp_types.JSONRPCRequest(jsonrpc="2.0", id=number, method="tools/call", params=params)
    return Request(request.model_dump(mode="json"))


def result_of(call: ToolCall, response: Mapping[str, Any]) -> ToolResult:
    """What a response says about its call; SandboxUnavailable if it is not a response of the protocol."""
    if "error" in response:
        return _failed(call, response)
    try:
        parsed = parse_server_result("tools/call", LATEST_MODERN_VERSION, response.get("result") or {})
    except ValidationError as error:
        raise SandboxUnavailable(f"the sandbox's answer to {call.name} breaks the protocol") from error
    if not isinstance(parsed, mcp_types.CallToolResult):
        raise SandboxUnavailable(f"the sandbox answers {call.name} with a question")
    text = "\n".join(block.text for block in parsed.content if isinstance(block, mcp_types.TextContent))
    meta = parsed.meta or {}
    duration = meta.get(DURATION_META_KEY)
    return ToolResult(
        call_id=call.id,
        name=call.name,
        ok=not parsed.is_error,
        text=_cut(text),
        duration_ms=max(0, duration) if isinstance(duration, int) else 0,
        facts=_facts(meta.get(FACTS_META_KEY)),
    )


def _failed(call: ToolCall, response: Mapping[str, Any]) -> ToolResult:
    try:
        error = mcp_types.JSONRPCError.model_validate(response).error
    except ValidationError as fault:
        raise SandboxUnavailable(f"the sandbox's answer to {call.name} breaks the protocol") from fault
    return ToolResult(call.id, call.name, ok=False, text=_cut(f"the tool failed: {error.message}"))


def _arguments(call: ToolCall) -> Json:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError as error:
        raise InvalidInput(f"the arguments of {call.name} are not valid JSON: {error}; send the call again") from error
    if not isinstance(arguments, dict):
        raise InvalidInput(f"the arguments of {call.name} must be a JSON object; send the call again")
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the arguments of {call.name} hold half a character; send the call again") from error
    return arguments


def _facts(reported: object) -> Json:
    try:
        facts = _Facts.model_validate(reported or {})
    except ValidationError:
        return {}
    if facts.tests is not None and facts.tests.passed > facts.tests.run:
        facts.tests = None
    if facts.paths_changed is not None:
        facts.paths_changed = facts.paths_changed[:_MOST_PATHS]
    return facts.model_dump(exclude_none=True)


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARACTERS else f"{text[:_TEXT_CHARACTERS]}\n[cut]"
