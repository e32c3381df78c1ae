import json

from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.llm.wire import ARGUMENTS_LIMIT, CALLS_LIMIT, TEXT_LIMIT, Reader, bounded, request_body
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role, ToolCall, ToolSpec
from discord_agent.domain.ids import ModelName

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
