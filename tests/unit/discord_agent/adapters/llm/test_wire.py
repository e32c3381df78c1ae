import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.llm.wire import (
    ARGUMENTS_LIMIT,
    CALLS_LIMIT,
    TEXT_LIMIT,
    Reader,
    bounded,
    parse_usage,
    request_body,
)
from discord_agent.domain.conversation import (
    Image,
    Json,
    Message,
    ModelRequest,
    Purpose,
    Role,
    Thinking,
    ToolCall,
    ToolSpec,
)
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Usage

EARLIER = (
    Message(Role.SYSTEM, "Be brief."),
    Message(Role.USER, "Go."),
    Message(Role.ASSISTANT, "", (ToolCall("a", "bash", "[1]"),)),
    Message(Role.TOOL, "done", tool_call_id="a"),
)
READER = Reader("anthropic", sees=True)
REQUEST = ModelRequest(
    Purpose.TURN,
    ModelName("m"),
    EARLIER,
    tools=(ToolSpec("bash", "Run it.", {"type": "object"}, writes=True),),
    schema={"type": "object"},
    max_output_tokens=7,
)


def test_a_request_is_written_in_the_format_of_openai() -> None:
    assert request_body(REQUEST, READER) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Go."},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "a",
                        "type": "function",
                        "function": {"name": "bash", "arguments": '{"not_a_json_object": "[1]"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "done"},
        ],
        "max_tokens": 7,
        "tools": [
            {
                "type": "function",
                "function": {"name": "bash", "description": "Run it.", "parameters": {"type": "object"}},
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "turn", "schema": {"type": "object"}, "strict": False},
        },
    }


@given(st.text())
def test_arguments_go_back_as_a_json_object_whatever_the_model_wrote(arguments: str) -> None:
    said = Message(Role.ASSISTANT, "", (ToolCall("b", "bash", arguments),))
    request = ModelRequest(Purpose.TURN, ModelName("m"), (*EARLIER, said))
    sent = request_body(request, READER)["messages"][4]["tool_calls"][0]["function"]["arguments"]

    assert isinstance(json.loads(sent), dict)


def test_an_oversize_reply_is_cut_and_says_so() -> None:
    calls = tuple(ToolCall(f"c{number}", "bash", "x" * (ARGUMENTS_LIMIT + 5)) for number in range(CALLS_LIMIT + 5))
    message = bounded(Message(Role.ASSISTANT, "y" * (TEXT_LIMIT + 5), calls), REQUEST)

    assert message.text.startswith("y" * TEXT_LIMIT)
    assert message.text.endswith("(cut: the reply was too long)")
    assert len(message.tool_calls) == CALLS_LIMIT
    assert {len(call.arguments) for call in message.tool_calls} == {ARGUMENTS_LIMIT}


@given(st.lists(st.sampled_from(["", "a", "b", "call_4_0", "call_4_1"]), max_size=8))
def test_call_ids_are_always_new_and_different(ids: list[str]) -> None:
    message = bounded(Message(Role.ASSISTANT, "", tuple(ToolCall(call_id, "bash", "{}") for call_id in ids)), REQUEST)
    given_ids = [call.id for call in message.tool_calls]

    assert len(given_ids) == len(ids) == len(set(given_ids))
    assert not set(given_ids) & {"", "a"}


SONNET = Reader("anthropic", sees=True, marks_cache=True)
PICTURE = Image("uploads/cat.png", "image/png")
LOOK = Message(Role.USER, "What is this?", images=(PICTURE,))


def sent(*messages: Message, reader: Reader = READER, images: dict[str, bytes] | None = None) -> list[Json]:
    request = ModelRequest(Purpose.TURN, ModelName("m"), messages, image_bytes=images or {})
    written: list[Json] = request_body(request, reader)["messages"]
    return written


def test_a_model_that_sees_is_shown_pictures() -> None:
    assert sent(LOOK, images={PICTURE.path: b"meow"}) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,bWVvdw=="}},
            ],
        }
    ]


def test_a_model_that_cannot_see_is_told_so() -> None:
    assert sent(LOOK, reader=Reader("qwen"), images={PICTURE.path: b"meow"}) == [
        {"role": "user", "content": "What is this?\n[image uploads/cat.png: this model cannot see images]"}
    ]


def test_a_picture_that_is_gone_is_named() -> None:
    assert sent(LOOK) == [
        {"role": "user", "content": "What is this?\n[image uploads/cat.png: it is not available any more]"}
    ]


def test_an_answer_is_never_asked_to_be_longer_than_the_model_can_write() -> None:
    request = ModelRequest(Purpose.TURN, ModelName("m"), EARLIER, max_output_tokens=8192)

    assert request_body(request, Reader("x", output=4096))["max_tokens"] == 4096
    assert request_body(request, Reader("x", output=64_000))["max_tokens"] == 8192


def test_thoughts_go_back_to_their_maker_only() -> None:
    thought = Message(Role.ASSISTANT, "Hi.", thinking=Thinking("anthropic", '{"reasoning_content": "Hm."}'))

    assert sent(thought, reader=Reader("anthropic")) == [
        {"role": "assistant", "content": "Hi.", "reasoning_content": "Hm."}
    ]
    assert sent(thought, reader=Reader("gemini")) == [{"role": "assistant", "content": "Hi."}]


def test_instructions_the_end_of_the_last_request_and_the_end_of_this_one_are_marked() -> None:
    later = (Message(Role.ASSISTANT, "Hi."), Message(Role.USER, "Go on."), LOOK)
    marked = [
        "cache_control" in message or any("cache_control" in part for part in message["content"] or ())
        for message in sent(*EARLIER, *later, reader=SONNET, images={PICTURE.path: b"meow"})
    ]

    assert marked == [True, False, False, True, False, False, True]


def test_a_first_request_is_marked_at_its_instructions_and_its_end() -> None:
    marked = ["cache_control" in message for message in sent(*EARLIER[:2], reader=SONNET)]

    assert marked == [True, True]


def test_makers_that_cache_by_themselves_get_no_marks() -> None:
    assert "cache_control" not in json.dumps(sent(*EARLIER, reader=READER))


any_message = st.one_of(
    st.builds(Message, st.just(Role.SYSTEM), st.sampled_from(["", "x", "y"])),
    st.builds(Message, st.just(Role.USER), st.sampled_from(["", "x", "y"]), images=st.sampled_from([(), (PICTURE,)])),
    st.builds(lambda ids: Message(Role.ASSISTANT, "", tuple(ToolCall(i, "bash", "{}") for i in ids)), st.lists(st.sampled_from("abc"))),
    st.builds(lambda i: Message(Role.TOOL, "done", tool_call_id=i), st.sampled_from("abc")),
)  # fmt: skip


@given(st.lists(any_message, max_size=12))
def test_there_are_never_more_marks_than_a_provider_takes(messages: list[Message]) -> None:
    written = json.dumps(sent(*messages, reader=SONNET, images={PICTURE.path: b"meow"}))

    assert written.count("cache_control") <= 3


@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_whatever_text_there_is_can_be_sent(text: str) -> None:
    spoken = Message(Role.ASSISTANT, text, (ToolCall("a", text, text),))
    written = sent(Message(Role.USER, text), spoken, Message(Role.TOOL, text, tool_call_id="a"))

    assert json.dumps(written, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        ({}, Usage()),
        ({"prompt_tokens": -5, "completion_tokens": None}, Usage()),
        ({"prompt_tokens": 10, "completion_tokens": 5}, Usage(10, 0, 5)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 99}}, Usage(10, 10, 0)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 99}}, Usage(10, 4, 0, 6)),
        ({"prompt_tokens": 10, "cache_creation_input_tokens": 3}, Usage(10, 0, 0, 3)),
        ({"prompt_tokens": "many"}, Usage()),
    ],
)  # fmt: skip
def test_absurd_numbers_of_tokens_are_bounded(reported: dict[str, Any], usage: Usage) -> None:
    details = reported.get("prompt_tokens_details")
    given_usage = SimpleNamespace(
        **(reported | {"prompt_tokens_details": SimpleNamespace(**details) if details else None})
    )

    assert parse_usage(given_usage) == usage
