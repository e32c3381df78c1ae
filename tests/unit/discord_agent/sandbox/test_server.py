from typing import Any

import anyio
import pytest
from mcp_types import PROTOCOL_VERSION_META_KEY
from mcp_types.methods import validate_server_result
from mcp_types.version import LATEST_MODERN_VERSION

from discord_agent.domain.conversation import Json
from discord_agent.domain.sandbox_tools import DURATION_META_KEY, FACTS_META_KEY, SANDBOX_TOOLS
from discord_agent.sandbox.outcome import Outcome
from discord_agent.sandbox.server import answer, answer_round, build_server
from tests.support.sandboxes import request


def respond(body: object) -> dict[str, Any]:
    async def call(name: str, arguments: Json) -> tuple[Outcome, int]:
        if arguments.get("path") == "boom":
            raise RuntimeError("an inner detail")
        return Outcome(f"{name} {arguments}", facts={"exit_code": 0}), 7

    return anyio.run(answer, build_server(call), body)


def test_the_listed_tools_are_those_the_model_is_offered() -> None:
    response = respond(request("tools/list", {}))
    validate_server_result("tools/list", LATEST_MODERN_VERSION, response["result"])
    listed = [
        (tool["name"], tool["description"], tool["inputSchema"], not tool["annotations"]["readOnlyHint"])
        for tool in response["result"]["tools"]
    ]
    assert listed == [(spec.name, spec.description, spec.parameters, spec.writes) for spec in SANDBOX_TOOLS]


def test_a_call_gives_text_for_the_model_and_facts_beside_it() -> None:
    response = respond(request("tools/call", {"name": "read_file", "arguments": {"path": "a"}}, 3))
    validate_server_result("tools/call", LATEST_MODERN_VERSION, response["result"])
    assert response["id"] == 3
    assert response["result"]["content"] == [{"type": "text", "text": "read_file {'path': 'a'}"}]
    assert response["result"]["isError"] is False
    assert response["result"]["_meta"][FACTS_META_KEY] == {"exit_code": 0}
    assert response["result"]["_meta"][DURATION_META_KEY] == 7


@pytest.mark.parametrize(
    ("name", "arguments", "hint"),
    [
        ("read_file", {}, "path"),
        ("read_file", {"path": 1}, "path"),
        ("read_file", {"path": "a", "lines": 3}, "lines"),
        ("bash", {"command": "true", "timeout_seconds": 100_000}, "timeout_seconds"),
        ("edit_file", {"path": "a", "old": "", "new": "b"}, "old"),
        ("launch", {}, "read_file"),
        ("bash", {"command": "\ud83d"}, "half a character"),
    ],
)
def test_wrong_arguments_are_an_error_result_that_helps(name: str, arguments: Json, hint: str) -> None:
    result = respond(request("tools/call", {"name": name, "arguments": arguments}))["result"]
    assert result["isError"] is True
    assert hint in result["content"][0]["text"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("text", -32600),
        ({"jsonrpc": "2.0", "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}, -32602),
        (request("tools/run", {}), -32601),
        (request("tools/call", {"arguments": {}}), -32602),
    ],
)
def test_a_malformed_request_is_answered_with_a_protocol_error(body: object, code: int) -> None:
    assert respond(body)["error"]["code"] == code


def test_another_protocol_revision_is_refused() -> None:
    body = request("tools/list", {})
    body["params"]["_meta"][PROTOCOL_VERSION_META_KEY] = "2025-11-25"
    assert respond(body)["error"]["code"] == -32022


def test_a_tool_that_breaks_shows_nothing_of_its_inside() -> None:
    response = respond(request("tools/call", {"name": "read_file", "arguments": {"path": "boom"}}))
    assert response["error"]["code"] == -32603
    assert "inner detail" not in str(response)


def test_neighbouring_reads_run_at_the_same_time_and_writes_alone_in_order() -> None:
    log: list[str] = []

    async def main() -> list[dict[str, Any]]:
        both_reading = anyio.Event()

        async def call(name: str, arguments: Json) -> tuple[Outcome, int]:
            log.append(name)
            if name == "read_file" and log.count("read_file") == 2:
                both_reading.set()
            if name == "read_file":
                await both_reading.wait()
            log.append(f"{name} done")
            return Outcome(str(arguments["path"])), 0

        calls = [("read_file", "a"), ("read_file", "b"), ("write_file", "c"), ("write_file", "d")]
        requests = [
            request(
                "tools/call", {"name": name, "arguments": {"path": path, **({"content": ""} if path > "b" else {})}}
            )
            for name, path in calls
        ]
        with anyio.fail_after(5):
            return await answer_round(build_server(call), requests)

    responses = anyio.run(main)
    assert [response["result"]["content"][0]["text"] for response in responses] == ["a", "b", "c", "d"]
    assert log == ["read_file", "read_file", *["read_file done"] * 2, *["write_file", "write_file done"] * 2]
