"""A chat-completions request as the scripted model understands it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidInput

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the caller asks for; ``messages`` as they came, in OpenAI's format."""

    model: str
    purpose: Purpose
    messages: tuple[Json, ...]
    tools: tuple[Json, ...] = ()
    stream: bool = False
    include_usage: bool = False

    @property
    def user_text(self) -> str:
        """Everything that people said."""
        return "\n".join(text_of(message) for message in self.messages if message["role"] == "user")

    @property
    def last_text(self) -> str:
        """The text of the last message, whoever wrote it."""
        return text_of(self.messages[-1])


def text_of(message: Mapping[str, Any]) -> str:
    """A message's text; the text parts of a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if part.get("type") == "text")
    return content or ""


def parse_request(body: object) -> ChatRequest:
    """Check a request as strictly as providers do; InvalidInput says what is wrong."""
    if not isinstance(body, Mapping):
        raise InvalidInput("the body must be a JSON object")
    model, messages, tools = body.get("model"), body.get("messages"), body.get("tools") or []
    if not isinstance(model, str) or not model:
        raise InvalidInput("'model' must be a string")
    if not isinstance(messages, list) or not messages:
        raise InvalidInput("'messages' must be a list with at least one message")
    for message in messages:
        _check_message(message)
    _check_tool_answers(messages)
    stream_options = body.get("stream_options") or {}
    return ChatRequest(
        model=model,
        purpose=_purpose(body, tools),
        messages=tuple(messages),
        tools=tuple(tools),
        stream=bool(body.get("stream")),
        include_usage=bool(stream_options.get("include_usage")),
    )


def _check_message(message: object) -> None:
    if not isinstance(message, Mapping) or message.get("role") not in {"system", "user", "assistant", "tool"}:
        raise InvalidInput("each message must be an object with the role system, user, assistant or tool")
    content = message.get("content")
    has_parts = isinstance(content, list) and all(isinstance(part, Mapping) for part in content)
    if not (content is None or isinstance(content, str) or has_parts):
        raise InvalidInput("'content' must be text, a list of parts or null")
    if content is None and not message.get("tool_calls"):
        raise InvalidInput("a message without 'content' must have 'tool_calls'")


def _check_tool_answers(messages: Sequence[Mapping[str, Any]]) -> None:
    """Every tool call is answered right after its message, and nothing else is answered."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise InvalidInput("a tool message must answer a tool call of the assistant message before it")
            open_calls.discard(message["tool_call_id"])
        elif open_calls:
            raise InvalidInput(f"tool calls without an answer: {', '.join(sorted(open_calls))}")
        else:
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
    if open_calls:
        raise InvalidInput(f"tool calls without an answer: {', '.join(sorted(open_calls))}")


def _purpose(body: Mapping[str, Any], tools: Sequence[object]) -> Purpose:
    response_format = body.get("response_format") or {}
    name = (response_format.get("json_schema") or {}).get("name")
    if name in set(Purpose):
        return Purpose(name)
    return Purpose.TURN if tools else Purpose.RESPOND
