import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.llm.thoughts import Thoughts, thinking_of, with_thinking
from discord_agent.domain.conversation import Thinking

BLOCKS = [
    {"type": "thinking", "thinking": "Let me see.", "signature": "one"},
    {"type": "redacted_thinking", "data": "…"},
    {"type": "thinking", "thinking": "I have it.", "signature": "two"},
]


def reply(*, calls: tuple[Any, ...] = (), **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(tool_calls=list(calls), **fields)


def call(call_id: str, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(id=call_id, provider_specific_fields=fields or None)


def test_a_model_that_shows_no_thoughts_has_none() -> None:
    assert thinking_of(reply(), "anthropic") is None
    assert thinking_of(reply(reasoning_content="", thinking_blocks=[]), "anthropic") is None


def test_thoughts_beyond_measure_are_not_kept() -> None:
    assert thinking_of(reply(reasoning_content="x" * 1_000_000), "moonshot") is None


def test_blocks_go_back_as_they_came() -> None:
    thinking = thinking_of(reply(thinking_blocks=BLOCKS, reasoning_content="Let me see."), "anthropic")

    assert with_thinking({"role": "assistant", "content": "Hi."}, thinking) == {
        "role": "assistant",
        "content": "Hi.",
        "thinking_blocks": BLOCKS,
    }


def test_text_goes_back_as_text() -> None:
    thinking = thinking_of(reply(reasoning_content="Hm."), "moonshot")

    assert with_thinking({"content": "Hi."}, thinking) == {"content": "Hi.", "reasoning_content": "Hm."}


def test_signatures_of_calls_go_back_with_the_calls_whatever_ids_these_have_by_then() -> None:
    calls = (call("a__thought__first"), call("b"), call("c", thought_signature="third"))
    thinking = thinking_of(reply(calls=calls), "gemini")
    sent = with_thinking({"tool_calls": [{"id": f"t1r1c{number}"} for number in range(3)]}, thinking)

    assert sent["tool_calls"] == [
        {"id": "t1r1c0", "provider_specific_fields": {"thought_signature": "first"}},
        {"id": "t1r1c1"},
        {"id": "t1r1c2", "provider_specific_fields": {"thought_signature": "third"}},
    ]


def test_a_message_without_thoughts_stays_as_it_is() -> None:
    message = {"role": "assistant", "content": "Hi."}

    assert with_thinking(message, None) is message
    assert with_thinking(message, Thinking("gemini", '{"signatures": {"0": "s"}}')) == message


def _streamed(block: dict[str, Any], size: int) -> list[dict[str, Any]]:
    if "thinking" not in block:
        return [block]
    text = block["thinking"]
    pieces = [{"type": "thinking", "thinking": text[at : at + size]} for at in range(0, len(text), size)]
    return [*pieces, {"type": "thinking", "thinking": "", "signature": block["signature"]}]


@given(st.integers(1, 20))
def test_streamed_pieces_make_the_same_thoughts_as_a_whole_answer(size: int) -> None:
    thoughts = Thoughts()
    for block in BLOCKS:
        for piece in _streamed(block, size):
            thoughts.add(SimpleNamespace(thinking_blocks=[piece]))
    for text in ("Let me", " see."):
        thoughts.add(SimpleNamespace(reasoning_content=text))

    assert thoughts.thinking_blocks == BLOCKS
    assert thoughts.reasoning_content == "Let me see."
    assert json.loads(json.dumps(thoughts.thinking_blocks)) == BLOCKS
