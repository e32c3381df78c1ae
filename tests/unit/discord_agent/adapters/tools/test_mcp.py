import json
from typing import Any

import mcp_types
import pytest
from mcp_types.methods import serialize_server_result, validate_client_request
from mcp_types.version import LATEST_MODERN_VERSION

from discord_agent.adapters.tools.mcp import request_for, result_of
from discord_agent.domain.conversation import ToolCall, ToolResult
from discord_agent.domain.errors import SandboxUnavailable
from discord_agent.domain.sandbox_tools import DURATION_META_KEY, FACTS_META_KEY

CALL = ToolCall("call-1", "read_file", '{"path": "a"}')


def response(**result: Any) -> dict[str, Any]:
    complete = {"content": [{"type": "text", "text": "hello"}], "isError": False, "resultType": "complete", **result}
    return {"jsonrpc": "2.0", "id": 0, "result": complete}


def test_a_call_becomes_a_request_of_the_stateless_protocol() -> None:
    body = request_for(CALL, 4).body
    assert body is not None
    validate_client_request("tools/call", LATEST_MODERN_VERSION, body["params"])
    assert (body["jsonrpc"], body["id"], body["method"]) == ("2.0", 4, "tools/call")
    assert (body["params"]["name"], body["params"]["arguments"]) == ("read_file", {"path": "a"})
    mcp_types.JSONRPCRequest.model_validate(body)
    assert body["params"]["_meta"] == {
        mcp_types.PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION,
        mcp_types.CLIENT_CAPABILITIES_META_KEY: {},
        mcp_types.CLIENT_INFO_META_KEY: {"name": "discord-agent", "version": "1"},
    }


def test_missing_arguments_are_an_empty_object() -> None:
    body = request_for(ToolCall("1", "list_files", ""), 0).body
    assert body is not None
    assert body["params"]["arguments"] == {}


@pytest.mark.parametrize("arguments", ["{", "[1]", '"text"', "null", '{"path": "\\ud83d"}'])
def test_arguments_that_are_no_json_object_are_not_sent(arguments: str) -> None:
    request = request_for(ToolCall("1", "read_file", arguments), 0)
    assert request.body is None
    assert "send the call again" in request.fault


def test_a_response_becomes_a_result_with_its_facts() -> None:
    facts = {"exit_code": 1, "paths_changed": ["a"], "tests": {"run": 3, "passed": 2}, "interrupted": True}
    meta = {FACTS_META_KEY: facts, DURATION_META_KEY: 12}
    assert result_of(CALL, response(_meta=meta, isError=True)) == ToolResult(
        "call-1", "read_file", ok=False, text="hello", duration_ms=12, facts=facts
    )


def test_what_the_sdk_of_the_protocol_writes_is_read_texts_only() -> None:
    image = mcp_types.ImageContent(type="image", data="aGk=", mime_type="image/png")
    texts = [mcp_types.TextContent(type="text", text=text) for text in ("one", "two")]
    written = mcp_types.CallToolResult(content=[texts[0], image, texts[1]], _meta={DURATION_META_KEY: 5})
    answer = serialize_server_result(
        "tools/call", LATEST_MODERN_VERSION, written.model_dump(by_alias=True, mode="json")
    )
    result = result_of(CALL, {"jsonrpc": "2.0", "id": 0, "result": answer})
    assert (result.ok, result.text, result.duration_ms) == (True, "one\ntwo", 5)


def test_a_sandbox_that_asks_back_is_a_fault() -> None:
    with pytest.raises(SandboxUnavailable, match="with a question"):
        result_of(CALL, response(resultType="input_required"))


@pytest.mark.parametrize(
    "facts",
    [
        {"exit_code": "0"},
        {"paths_changed": "all"},
        {"tests": {"run": -1, "passed": 0}},
        {"tests": {"run": 1, "passed": 2}},
        "text",
        {"cost": 0},
    ],
)
def test_facts_of_another_shape_are_not_believed(facts: object) -> None:
    assert result_of(CALL, response(_meta={FACTS_META_KEY: facts})).facts == {}


def test_a_flood_of_text_is_cut() -> None:
    result = result_of(CALL, response(content=[{"type": "text", "text": "x" * 1_000_000}]))
    assert len(result.text) < 70_000


def test_a_protocol_error_is_a_failed_result() -> None:
    error = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32602, "message": "Invalid request parameters"}}
    result = result_of(CALL, error)
    assert (result.ok, result.text) == (False, "the tool failed: Invalid request parameters")


@pytest.mark.parametrize("body", [{}, {"result": {"content": "x"}}, {"error": "broken"}, {"result": json.loads("[]")}])
def test_an_answer_outside_the_protocol_is_a_fault_of_the_sandbox(body: dict[str, Any]) -> None:
    with pytest.raises(SandboxUnavailable):
        result_of(CALL, body)
