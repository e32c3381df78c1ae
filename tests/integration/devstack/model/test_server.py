import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.aws.errors import PortInUse
from devstack.model.script import parse_script
from devstack.model.server import ModelServer
from tests.support.eventually import eventually

KEY = "a-key"
AUTHORISED = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    script = parse_script(
        {
            "introduction": "Scripted.",
            "respond": [{"content": "Hello there."}],
            "turn": [{"tool_calls": [{"function": {"name": "bash", "arguments": {"command": "ls"}}}]}],
        },
        "data",
    )
    running = ModelServer(script, key=KEY, models=("one", "two"), log_path=tmp_path / "log.jsonl")
    running.start()
    yield running
    running.stop()


def post(server: ModelServer, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    whole = {"model": "one", "messages": [{"role": "user", "content": "hi"}], **body}
    return httpx.post(
        f"{server.url}/v1/chat/completions", json=whole, headers=AUTHORISED if headers is None else headers
    )


def events(response: httpx.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_whole_answer_has_the_format_of_openai(server: ModelServer) -> None:
    body = post(server).json()

    assert body["object"] == "chat.completion"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Scripted.\n\nHello there."},
            "finish_reason": "stop",
        }
    ]
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]


@pytest.mark.parametrize("with_usage", [True, False])
def test_a_streamed_answer_ends_with_its_reason_and_its_usage_if_asked_for(
    server: ModelServer, with_usage: bool
) -> None:
    response = post(server, stream=True, stream_options={"include_usage": with_usage})
    chunks = events(response)
    text = "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]

    assert response.headers["content-type"].startswith("text/event-stream")
    assert text == "Scripted.\n\nHello there."
    assert reasons[-1] == "stop"
    assert ("usage" in chunks[-1]) is with_usage


def test_tool_calls_are_streamed_in_pieces(server: ModelServer) -> None:
    chunks = events(post(server, stream=True, tools=[{"type": "function", "function": {"name": "bash"}}]))
    parts = [part for chunk in chunks for choice in chunk["choices"] for part in choice["delta"].get("tool_calls", ())]

    assert parts[0]["function"]["name"] == "bash"
    assert json.loads("".join(part["function"]["arguments"] for part in parts)) == {"command": "ls"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}])
def test_without_the_key_nothing_is_answered(server: ModelServer, headers: dict[str, str]) -> None:
    assert post(server, headers).status_code == 401
    assert httpx.get(f"{server.url}/v1/models", headers=headers).status_code == 401
    assert server.calls == ()


@pytest.mark.parametrize("content", [b"not json", b"[]", b'{"model": "one"}'])
def test_a_malformed_request_is_refused_with_a_reason(server: ModelServer, content: bytes) -> None:
    response = httpx.post(f"{server.url}/v1/chat/completions", content=content, headers=AUTHORISED)

    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_the_models_are_listed(server: ModelServer) -> None:
    listed = httpx.get(f"{server.url}/v1/models", headers=AUTHORISED).json()["data"]

    assert [model["id"] for model in listed] == ["one", "two"]


def test_every_call_is_logged_as_a_line_of_json(server: ModelServer, tmp_path: Path) -> None:
    answer = post(server).json()
    post(server)
    # A call is logged once its answer is known to be delivered, which the caller sees a moment earlier.
    eventually(lambda: len(server.calls) == 2)
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]

    assert len(logged) == len(server.calls) == 2
    assert logged[0] | {"at": ""} == logged[1] | {"at": ""}
    assert logged[0]["usage"] == answer["usage"]
    assert logged[0]["reply"] == answer["choices"][0]["message"]
    assert KEY not in (tmp_path / "log.jsonl").read_text(encoding="utf-8")


def test_a_taken_port_is_named_with_the_remedy(server: ModelServer) -> None:
    with pytest.raises(PortInUse, match=str(server.port)):
        ModelServer(parse_script({}, "data"), key=KEY, port=server.port)


def test_a_stopped_server_leaves_its_port() -> None:
    first = ModelServer(parse_script({}, "data"), key=KEY)
    first.start()
    first.stop()
    second = ModelServer(parse_script({}, "data"), key=KEY, port=first.port)
    second.stop()

    assert second.port == first.port


def test_a_scripted_drop_breaks_the_connection_and_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    dropping = ModelServer(
        parse_script({"respond": [{"content": "x" * 500, "fault": {"drop": True}}]}, "data"), key=KEY
    )
    dropping.start()
    caplog.set_level("INFO", "uvicorn.error")
    try:
        with pytest.raises(httpx.RemoteProtocolError):
            post(dropping)
    finally:
        dropping.stop()

    assert "without completing response" not in caplog.text
    assert [call.delivered for call in dropping.calls] == [False]


def test_a_truncated_answer_ends_properly_in_the_middle_of_its_json() -> None:
    script = parse_script({"respond": [{"content": "Hello.", "fault": {"truncated": True}}]}, "data")
    running = ModelServer(script, key=KEY)
    running.start()
    try:
        response = post(running)
    finally:
        running.stop()

    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_a_conversation_that_is_too_long_is_refused_with_the_code_of_openai() -> None:
    running = ModelServer(parse_script({"respond": [{"fault": {"context": True}}]}, "data"), key=KEY)
    running.start()
    try:
        response = post(running)
    finally:
        running.stop()

    assert (response.status_code, response.json()["error"]["code"]) == (400, "context_length_exceeded")


def test_a_fault_counts_per_model() -> None:
    running = ModelServer(parse_script({"respond": [{"content": "Hi.", "fault": {"http": 503}}]}, "data"), key=KEY)
    running.start()
    try:
        statuses = [post(running, model=model).status_code for model in ("one", "one", "two")]
    finally:
        running.stop()

    assert statuses == [503, 200, 503]


def test_what_a_model_thought_is_streamed_before_what_it_says() -> None:
    block = {"type": "thinking", "thinking": "t" * 60, "signature": "s"}
    line = {"content": "Hi.", "reasoning_content": "Hm.", "thinking_blocks": [block]}
    running = ModelServer(parse_script({"introduction": " ", "respond": [line]}, "data"), key=KEY)
    running.start()
    try:
        deltas = [choice["delta"] for chunk in events(post(running, stream=True)) for choice in chunk["choices"]]
    finally:
        running.stop()

    blocks = [part for delta in deltas for part in delta.get("thinking_blocks", ())]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Hm." + "t" * 60
    assert "".join(part["thinking"] for part in blocks) == "t" * 60
    assert [part["signature"] for part in blocks if "signature" in part] == ["s"]
    assert [key for delta in deltas for key in delta][-1] == "content"
