from collections.abc import Callable, Iterator, Mapping
from copy import replace
from functools import partial
from typing import Any

import pytest

from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.background import BackgroundLoop
from discord_agent.adapters.llm.client import LiteLLMClient
from discord_agent.adapters.llm.patience import Patience
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.llm.targets import targets
from discord_agent.domain.conversation import (
    Image,
    Message,
    ModelReply,
    ModelRequest,
    Purpose,
    Role,
    Thinking,
    ToolCall,
    ToolSpec,
)
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Usage
from tests.support.models import REGISTRY
from tests.support.providers import aws_events, provider, server_sent, whole

SONNET = ModelName("claude-sonnet-4.5")
BASH = ToolSpec("bash", "Run a command.", {"type": "object", "properties": {"command": {"type": "string"}}})
BLOCK = {"type": "thinking", "thinking": "Hm.", "signature": "signed"}
CONVERSATION = (
    Message(Role.SYSTEM, "Be brief."),
    Message(Role.USER, "What is this?", images=(Image("a.png", "image/png"),)),
    Message(
        Role.ASSISTANT,
        "Looking.",
        (ToolCall("t1", "bash", '{"command": "ls"}'),),
        thinking=Thinking("anthropic", '{"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "signed"}]}'),
    ),
    Message(Role.TOOL, "a.png", tool_call_id="t1"),
)  # fmt: skip
REQUEST = ModelRequest(
    Purpose.TURN, SONNET, CONVERSATION, tools=(BASH,), max_output_tokens=100_000, image_bytes={"a.png": b"picture"}
)

ANTHROPIC_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        BLOCK,
        {"type": "text", "text": "A cat."},
        {"type": "tool_use", "id": "t2", "name": "bash", "input": {"command": "pwd"}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 30,
        "output_tokens": 5,
    },
}
BEDROCK_ANSWER = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"text": "A cat."},
                {"toolUse": {"toolUseId": "t2", "name": "bash", "input": {"command": "pwd"}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {
        "inputTokens": 10,
        "outputTokens": 5,
        "totalTokens": 245,
        "cacheReadInputTokens": 200,
        "cacheWriteInputTokens": 30,
    },
    "metrics": {"latencyMs": 1},
}
ANTHROPIC_STREAM = (
    {"type": "message_start", "message": ANTHROPIC_ANSWER | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "signed"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "A "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "cat."}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "t2", "name": "bash", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"comm'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": 'and": "pwd"}'}},
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
)
BEDROCK_STREAM = (
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "A "}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "cat."}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t2", "name": "bash"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"comm'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": 'and": "pwd"}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": BEDROCK_ANSWER["usage"], "metrics": {"latencyMs": 1}}),
)


type Called = Callable[..., ModelReply]


@pytest.fixture(scope="module")
def called() -> Iterator[Called]:
    """Asks providers directly, at another place than their own; with ``texts`` as a stream that is told there."""
    # litellm keeps its connections for good, so they need an event loop that stays, as in the product.
    background = BackgroundLoop("providers")
    yield partial(_called, background)
    background.close()


def _called(background: BackgroundLoop, name: str, texts: list[str] | None = None, **place: str) -> ModelReply:
    (target,) = targets(SONNET, ModelRegistry.load(REGISTRY), ModelAccess(provider_keys={name: "the-key"}))[:1]
    target = replace(target, arguments=target.arguments | place)
    emit = None if texts is None else texts.append
    work = LiteLLMClient().attempt(REQUEST, target, Patience(attempt=30, total=60), 30, emit)
    outcome = background.submit(work).result(60)
    assert isinstance(outcome, ModelReply), outcome
    return outcome


def shown_blocks(body: Mapping[str, Any]) -> list[Any]:
    return [block for message in body["messages"] for block in message["content"]]


def test_anthropic_is_reached_directly_with_marks_thoughts_and_pictures(called: Called) -> None:
    with provider(whole(ANTHROPIC_ANSWER)) as it:
        reply = called("anthropic", api_base=f"{it.url}/v1/messages")

    ((path, headers, body),) = it.requests
    blocks = shown_blocks(body)
    marked = [block["type"] for block in (*body["system"], *blocks) if "cache_control" in block]
    assert (path, headers["x-api-key"]) == ("/v1/messages", "the-key")
    assert body["max_tokens"] == 64_000
    assert marked == ["text", "image", "tool_result"]
    assert BLOCK in blocks
    assert next(block["source"]["media_type"] for block in blocks if block["type"] == "image") == "image/png"
    assert reply.message.text == "A cat."
    assert reply.message.thinking == CONVERSATION[2].thinking
    assert [call.name for call in reply.message.tool_calls] == ["bash"]
    assert reply.usage == Usage(input=240, cached_input=200, output=5, cache_write=30)


def test_bedrock_is_reached_directly_with_its_own_key_and_cache_points(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with provider(whole(BEDROCK_ANSWER)) as it:
        reply = called("bedrock", aws_bedrock_runtime_endpoint=it.url)

    ((path, headers, body),) = it.requests
    points = [block for block in (*body["system"], *shown_blocks(body)) if "cachePoint" in block]
    assert path == "/model/global.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert headers["authorization"] == "Bearer the-key"
    assert len(points) == 3
    assert body["inferenceConfig"]["maxTokens"] == 64_000
    assert [call.name for call in reply.message.tool_calls] == ["bash"]
    assert reply.usage == Usage(input=240, cached_input=200, output=5, cache_write=30)


def streams_the_same(reply: ModelReply, texts: list[str]) -> None:
    assert texts == ["A ", "A cat."]
    assert reply.message.text == "A cat."
    assert [(call.name, call.arguments) for call in reply.message.tool_calls] == [("bash", '{"command": "pwd"}')]
    assert reply.usage == Usage(input=240, cached_input=200, output=5, cache_write=30)


def test_anthropic_streams_text_thoughts_calls_and_figures(called: Called) -> None:
    texts: list[str] = []
    with provider(server_sent(*ANTHROPIC_STREAM)) as it:
        reply = called("anthropic", texts, api_base=f"{it.url}/v1/messages")

    streams_the_same(reply, texts)
    assert reply.message.thinking == CONVERSATION[2].thinking


def test_bedrock_streams_text_calls_and_figures(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    texts: list[str] = []
    with provider(aws_events(*BEDROCK_STREAM)) as it:
        reply = called("bedrock", texts, aws_bedrock_runtime_endpoint=it.url)

    streams_the_same(reply, texts)
    assert it.requests[0][0].endswith("/converse-stream")


def test_a_model_at_two_providers_is_asked_at_the_second_before_another_stands_in() -> None:
    access = ModelAccess(provider_keys={"anthropic": "one", "bedrock": "two", "gemini": "three"})
    asked = targets(SONNET, ModelRegistry.load(REGISTRY), access)

    assert [(target.name, target.arguments["model"].partition("/")[0]) for target in asked] == [
        ("claude-sonnet-4.5", "anthropic"),
        ("claude-sonnet-4.5", "bedrock"),
    ]


def test_keys_are_not_shown_with_targets() -> None:
    access = ModelAccess(provider_keys={"anthropic": "a-secret-key"})

    assert "a-secret-key" not in repr(targets(SONNET, ModelRegistry.load(REGISTRY), access))
