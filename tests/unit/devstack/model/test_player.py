import json
from typing import Any

import pytest

from devstack.model.player import choose, usage_of
from devstack.model.request import ChatRequest, parse_request
from devstack.model.script import DEFAULT_INTRODUCTION, Script, parse_script
from discord_agent.domain.classification import TaskType
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidInput
from discord_agent.replies import DecideReply, PlanReply, ReflectReply, TitleReply

FINISH = {"type": "function", "function": {"name": "finish"}}


def script(**purposes: Any) -> Script:
    return parse_script({"introduction": "I am scripted.", **purposes}, "data")


def request(*messages: dict[str, Any] | str, purpose: str = "turn", tools: bool = True) -> ChatRequest:
    listed = [{"role": "user", "content": item} if isinstance(item, str) else item for item in messages]
    body: dict[str, Any] = {"model": "m", "messages": listed}
    if purpose not in {"turn", "respond"}:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": purpose}}
    elif purpose == "turn" and tools:
        body["tools"] = [FINISH]
    return parse_request(body)


def said(text: str, *tools: str) -> dict[str, Any]:
    calls = [{"id": f"x{n}", "function": {"name": name, "arguments": "{}"}} for n, name in enumerate(tools)]
    return {"role": "assistant", "content": text} | ({"tool_calls": calls} if calls else {})


def result(number: int, text: str = "ok") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"x{number}", "content": text}


def text(played: Script, asked: ChatRequest) -> str:
    message = choose(played, asked).message
    assert message is not None
    return str(message["content"]).removeprefix("I am scripted.\n\n")


ORDERED = script(turn=[{"content": "one"}, {"content": "two"}, {"content": "three"}])


def test_lines_are_played_in_order_and_again_when_asked_again() -> None:
    first, second = request("go"), request("go", said("one"), "more")

    assert [text(ORDERED, asked) for asked in (first, second, first, second)] == ["one", "two", "one", "two"]


def test_the_position_counts_answers_whatever_their_ids_and_words() -> None:
    asked = request("go", said("changed", "bash", "bash"), result(0), result(1), said("also changed"), "more")

    assert text(ORDERED, asked) == "three"


def test_entries_are_chosen_by_what_people_said() -> None:
    played = script(
        turn=[{"content": "tea", "when": r"\btea\b"}, {"content": "else"}, {"content": "more", "when": "TEA"}]
    )

    assert text(played, request("Make TEA")) == "tea"
    assert text(played, request("Make coffee")) == "else"
    assert text(played, request("Make tea", said("tea"), "and", said("else"), "go on")) == "more"


def test_tools_and_system_messages_do_not_choose_entries() -> None:
    played = script(turn=[{"content": "tea", "when": "tea"}, {"content": "else"}])
    asked = request({"role": "system", "content": "tea"}, "go", said("tea", "bash"), result(0, "tea"))

    assert choose(played, asked).scripted is False


def test_an_aside_answers_the_last_message_and_moves_nothing() -> None:
    played = script(
        turn=[
            {"content": "one"},
            {"content": "Why?", "match_last": "stop"},
            {"tool_calls": [{"function": {"name": "bash", "arguments": {"command": "ls"}}}], "match_last": "look"},
            {"content": "two"},
        ]
    )
    aside = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "other", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}],
    }
    answer = {"role": "tool", "tool_call_id": "other", "content": "files"}

    assert text(played, request("please stop")) == "Why?"
    assert text(played, request("go", said("one"), "please stop", said("Why?"), "because")) == "two"
    assert text(played, request("go", said("one"), "look", aside, answer)) == "two"


def test_the_first_visible_text_is_introduced_and_json_is_not() -> None:
    played = script(turn=[{"content": "one"}], respond=[{"content": "hi"}], title=[{"content": {"title": "Tea"}}])

    def content(asked: ChatRequest) -> object:
        message = choose(played, asked).message
        return message["content"] if message else None

    assert content(request("go")) == "I am scripted.\n\none"
    assert content(request("go", purpose="respond")) == "I am scripted.\n\nhi"
    assert content(request("go", purpose="title")) == '{"title": "Tea"}'


def test_arguments_are_sent_as_json_or_as_written() -> None:
    calls = [
        {"function": {"name": "bash", "arguments": {"command": "ls"}}},
        {"id": "mine", "function": {"name": "bash", "arguments": "{broken"}},
    ]
    message = choose(script(turn=[{"tool_calls": calls}]), request("go")).message

    assert message is not None
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == ['{"command": "ls"}', "{broken"]
    assert message["tool_calls"][1]["id"] == "mine"
    assert len({call["id"] for call in message["tool_calls"]}) == 2


def test_tokens_are_a_quarter_of_the_characters_rounded_up() -> None:
    asked = request("x" * 10, purpose="respond")
    message = {"role": "assistant", "content": "y" * 7}

    assert usage_of(asked, message, None) == {
        "prompt_tokens": -(-len(json.dumps([{"role": "user", "content": "x" * 10}])) // 4),
        "completion_tokens": -(-len(json.dumps(message)) // 4),
        "total_tokens": usage_of(asked, message, None)["prompt_tokens"]
        + usage_of(asked, message, None)["completion_tokens"],
        "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_tokens": 0},
    }


def test_without_a_line_a_turn_finishes_and_says_why() -> None:
    message = choose(script(), request("go")).message

    assert message is not None
    call = message["tool_calls"][0]["function"]
    assert call["name"] == "finish"
    assert "has no line for this" in json.loads(call["arguments"])["summary"]
    assert "LITELLM_BASE_URL" in json.loads(call["arguments"])["summary"]


def test_after_the_last_line_a_turn_finishes_and_says_that_the_script_ends() -> None:
    message = choose(script(turn=[{"content": "one"}]), request("go", said("one"), "on")).message

    assert message is not None
    assert "my script ends here" in message["tool_calls"][0]["function"]["arguments"]


def test_without_a_line_a_question_is_answered_by_who_is_answering() -> None:
    assert "scripted demo model" in text(script(), request("What is tea?", purpose="respond"))


def test_the_default_introduction_says_what_it_is_and_how_to_change_it() -> None:
    assert "scripted" in DEFAULT_INTRODUCTION
    assert "LITELLM_API_KEY" in DEFAULT_INTRODUCTION


@pytest.mark.parametrize(
    ("message", "task_type"),
    [
        ("what is async/await in JavaScript?", TaskType.EXPLANATION),
        ("Why is my loop slow?", TaskType.TECHNICAL_QA),
        ("hello!", TaskType.SOCIAL),
        ("thanks a lot", TaskType.SOCIAL),
        ("refactor the authentication module to use JWT", TaskType.CODING),
        ("Could you please fix the parser?", TaskType.CODING),
        ("<@42> add a CLI", TaskType.CODING),
        ("run the tests", TaskType.TEST_RUNNER),
        ("run kubectl get pods", TaskType.COMMAND_RUNNER),
        ("review my change", TaskType.CODE_REVIEW),
        ("write the README", TaskType.DOCUMENTATION),
        ("deploy it", TaskType.DEVOPS),
        ("design a schema for orders", TaskType.DATABASE),
        ("the weather is nice", TaskType.GENERAL),
    ],
)
def test_without_a_line_a_message_is_classified_by_a_few_words(message: str, task_type: TaskType) -> None:
    shown = f'History: run it\n<discord_message author="Ada">\n{message}\n</discord_message>'
    reply = DecideReply.model_validate_json(text(script(), request(shown, purpose="decide")))

    assert reply.should_respond
    assert reply.task_type is task_type


def test_a_script_with_turns_for_a_message_makes_it_a_task() -> None:
    reply = DecideReply.model_validate_json(text(ORDERED, request("the weather is nice", purpose="decide")))

    assert reply.task_type is TaskType.CODING


def test_what_a_script_expects_between_marks_is_a_task_too() -> None:
    marked = script(turn=[{"content": "one", "when": r"<discord_message[^>]*>\s*the weather"}])

    for said, task in (("the weather is nice", TaskType.CODING), ("the tea is nice", TaskType.GENERAL)):
        sent = f'To decide on:\n<discord_message author="Ada">\n{said}\n</discord_message>'
        assert DecideReply.model_validate_json(text(marked, request(sent, purpose="decide"))).task_type is task


def test_without_a_line_each_json_reply_is_valid_for_its_purpose() -> None:
    shapes = ((Purpose.PLAN, PlanReply), (Purpose.REFLECT, ReflectReply), (Purpose.TITLE, TitleReply))

    for purpose, shape in shapes:
        reply = shape.model_validate_json(text(script(), request("fix the parser", purpose=purpose)))
        assert reply.model_fields_set


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "JSON object"),
        ({"messages": [{"role": "user", "content": "x"}]}, "'model'"),
        ({"model": "m", "messages": []}, "'messages'"),
        ({"model": "m", "messages": [{"role": "king", "content": "x"}]}, "role"),
        ({"model": "m", "messages": [{"role": "user", "content": 5}]}, "'content'"),
        ({"model": "m", "messages": [{"role": "user"}]}, "without 'content'"),
        ({"model": "m", "messages": [said("", "bash")]}, "without an answer: x0"),
        ({"model": "m", "messages": [said("", "bash"), {"role": "user", "content": "x"}]}, "without an answer: x0"),
        ({"model": "m", "messages": [result(0)]}, "must answer a tool call"),
        ({"model": "m", "messages": [said("", "bash"), result(0), result(0)]}, "must answer a tool call"),
    ],
)
def test_a_request_is_checked_as_providers_check_it(body: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_request(body)


def test_lines_and_faults_may_be_meant_for_some_models_only() -> None:
    played = script(
        respond=[
            {"model": "^large", "content": "From the large one."},
            {"content": "From any.", "fault": {"http": 503, "model": "small"}},
        ]
    )
    lines = {
        model: choose(played, parse_request({"model": model, "messages": [{"role": "user", "content": "hi"}]}))
        for model in ("large", "small", "other")
    }

    assert {model: (line.message or {})["content"].split("\n")[-1] for model, line in lines.items()} == {
        "large": "From the large one.",
        "small": "From any.",
        "other": "From any.",
    }
    assert {model: [fault.http for fault in line.faults] for model, line in lines.items()} == {
        "large": [],
        "small": [503],
        "other": [],
    }
