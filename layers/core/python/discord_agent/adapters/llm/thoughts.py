"""What models think before they speak, kept in the form in which their makers want it back.

Anthropic signs blocks, Gemini signs tool calls, Moonshot and others want their text again; who gets it back with
something missing or changed refuses the conversation.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from discord_agent.domain.conversation import Json, Thinking

_LIMIT: Final = 400_000
_SEPARATOR: Final = "__thought__"
"""Between a call's id and its signature, where a gateway has litellm hand both to clients that know ids only."""


def thinking_of(message: Any, maker: str) -> Thinking | None:
    """What a reply tells of the model's thoughts; None when there is nothing, or more than is worth keeping."""
    blocks = [_plain(block) for block in getattr(message, "thinking_blocks", None) or ()]
    fields = {
        # Where there are blocks, litellm repeats their text.
        "reasoning_content": None if blocks else getattr(message, "reasoning_content", None),
        "thinking_blocks": blocks,
        "signatures": _signatures(message.tool_calls or ()),
    }
    content = json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)
    return Thinking(maker, content) if any(fields.values()) and len(content) <= _LIMIT else None


def with_thinking(message: Json, thinking: Thinking | None) -> Json:
    """An assistant message as it goes back to the maker of its thoughts."""
    if thinking is None:
        return message
    fields: Json = json.loads(thinking.content)
    signatures = fields.pop("signatures", {})
    if not signatures or "tool_calls" not in message:
        return message | fields
    calls = [_signed(call, signatures.get(str(index))) for index, call in enumerate(message["tool_calls"])]
    return message | fields | {"tool_calls": calls}


class Thoughts:
    """Puts streamed thoughts together; in the end it looks like a whole message's."""

    def __init__(self) -> None:
        self._reasoning: list[str] = []
        self._pieces: list[str] = []
        self.thinking_blocks: list[Json] = []

    @property
    def reasoning_content(self) -> str:
        """The text so far."""
        return "".join(self._reasoning)

    def add(self, delta: Any) -> None:
        """Take in a piece: thoughts come in parts with their signature last, redacted ones whole."""
        self._reasoning.append(getattr(delta, "reasoning_content", None) or "")
        for block in map(_plain, getattr(delta, "thinking_blocks", None) or ()):
            if block.get("type") == "redacted_thinking":
                self.thinking_blocks.append(block)
                continue
            self._pieces.append(block.get("thinking") or "")
            if block.get("signature"):
                self.thinking_blocks.append(block | {"thinking": "".join(self._pieces)})
                self._pieces.clear()


def _plain(block: Any) -> Json:
    return dict(block) if isinstance(block, Mapping) else block.model_dump(exclude_none=True)


def _signatures(calls: Sequence[Any]) -> dict[str, str]:
    """Signatures by the place of their calls, as JSON keeps keys."""
    found = {str(index): _signature(call) for index, call in enumerate(calls)}
    return {index: signature for index, signature in found.items() if signature}


def _signature(call: Any) -> str | None:
    fields = getattr(call, "provider_specific_fields", None)
    signature = fields.get("thought_signature") if isinstance(fields, Mapping) else None
    return signature or str(call.id or "").partition(_SEPARATOR)[2] or None


def _signed(call: Json, signature: str | None) -> Json:
    return call | {"provider_specific_fields": {"thought_signature": signature}} if signature else call
