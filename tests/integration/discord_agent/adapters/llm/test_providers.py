import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from discord_agent.adapters.llm.access import ModelAccess
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
from tests.support.providers import provider

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


def called(name: str, **place: str) -> ModelReply:
    """Ask a provider directly, at another place than its own."""
    (target,) = targets(SONNET, ModelRegistry.load(REGISTRY), ModelAccess(provider_keys={name: "the-key"}))[:1]
    target = replace(target, arguments=target.arguments | place)
    outcome = asyncio.run(LiteLLMClient().attempt(REQUEST, target, Patience(attempt=30, total=60), 30, None))
    assert isinstance(outcome, ModelReply), outcome
    return outcome


def shown_blocks(body: Mapping[str, Any]) -> list[Any]:
    return [block for message in body["messages"] for block in message["content"]]


def test_anthropic_is_reached_directly_with_marks_thoughts_and_pictures() -> None:
    with provider(ANTHROPIC_ANSWER) as it:
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


def test_bedrock_is_reached_directly_with_its_own_key_and_cache_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with provider(BEDROCK_ANSWER) as it:
        reply = called("bedrock", aws_bedrock_runtime_endpoint=it.url)

    ((path, headers, body),) = it.requests
    points = [block for block in (*body["system"], *shown_blocks(body)) if "cachePoint" in block]
    assert path == "/model/global.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert headers["authorization"] == "Bearer the-key"
    assert len(points) == 3
    assert body["inferenceConfig"]["maxTokens"] == 64_000
    assert [call.name for call in reply.message.tool_calls] == ["bash"]
    assert reply.usage == Usage(input=240, cached_input=200, output=5, cache_write=30)


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
