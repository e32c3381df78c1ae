"""The client's side of MCP, revision 2026-07-28: tool calls as JSON-RPC requests, and what their responses say.

The SDK's types are those of every method of every revision, and take half a second of each start; of one method and a
server of our own these few are left. Tests hold them to the SDK.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from discord_agent.domain.conversation import Json, ToolCall, ToolResult
from discord_agent.domain.errors import InvalidInput, SandboxUnavailable
from discord_agent.domain.sandbox_tools import DURATION_META_KEY, FACTS_META_KEY

_REVISION: Final = "2026-07-28"
_META: Final = "io.modelcontextprotocol/{}"
_CLIENT: Final = "discord-agent"
_CLIENT_VERSION: Final = "1"
_TEXT_CHARACTERS: Final = 64_000
"""More than any tool of the sandbox returns; a sandbox that returns more is cut, not believed."""

_MOST_PATHS: Final = 1000


class _Block(BaseModel):
    """A part of an answer, of which texts are read."""

    type: str
    text: str = ""


class _Result(BaseModel):
    result_type: str = Field(alias="resultType")
    content: list[_Block]
    is_error: bool = Field(default=False, alias="isError")
    meta: dict[str, Any] = Field(default={}, alias="_meta")


class _Error(BaseModel):
    code: int
    message: str


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


class Request(Struct, frozen=True):
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
            _META.format("protocolVersion"): _REVISION,
            _META.format("clientCapabilities"): {},
            _META.format("clientInfo"): {"name": _CLIENT, "version": _CLIENT_VERSION},
        },
    }
    return Request({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})


def result_of(call: ToolCall, response: Mapping[str, Any]) -> ToolResult:
    """What a response says about its call; SandboxUnavailable if it is not a response of the protocol."""
    if "error" in response:
        return _failed(call, response)
    try:
        result = _Result.model_validate(response.get("result"))
    except ValidationError as error:
        raise SandboxUnavailable(f"the sandbox's answer to {call.name} breaks the protocol") from error
    if result.result_type != "complete":
        raise SandboxUnavailable(f"the sandbox answers {call.name} with a question")
    text = "\n".join(block.text for block in result.content if block.type == "text")
    duration = result.meta.get(DURATION_META_KEY)
    return ToolResult(
        call_id=call.id,
        name=call.name,
        ok=not result.is_error,
        text=_cut(text),
        duration_ms=max(0, duration) if isinstance(duration, int) else 0,
        facts=_facts(result.meta.get(FACTS_META_KEY)),
    )


def _failed(call: ToolCall, response: Mapping[str, Any]) -> ToolResult:
    try:
        error = _Error.model_validate(response["error"])
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
