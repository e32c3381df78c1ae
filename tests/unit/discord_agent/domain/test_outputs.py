import json
from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import outputs
from discord_agent.domain.conversation import Message, ModelReply, Role, Thinking, ToolCall, ToolResult
from discord_agent.domain.ids import ModelName

_ANY_TEXT = st.text(st.characters(), max_size=50)


def _reply(text: str = "", calls: tuple[ToolCall, ...] = ()) -> ModelReply:
    return ModelReply(Message(Role.ASSISTANT, text, calls), ModelName("m"))


def _result(text: str) -> ToolResult:
    return ToolResult("t1r0c0", "bash", ok=True, text=text)


def test_a_reply_of_usual_size_stays_as_it_is() -> None:
    reply = _reply("All is well.", (ToolCall("a", "bash", '{"command": "ls"}'),))
    assert outputs.bounded(reply) == outputs.Bounded(reply)


@pytest.mark.parametrize("size", [64_001, 2_000_000])
def test_a_long_text_keeps_both_ends(size: int) -> None:
    bounded = outputs.bounded(_reply(f"start{'x' * size}end"))
    text = bounded.reply.message.text
    assert text.startswith("start")
    assert text.endswith("end")
    assert len(text) < 50_000
    assert bounded.cuts == (f"a text of {size + 8} characters was cut",)


def test_only_the_first_sixty_four_calls_are_kept() -> None:
    calls = tuple(ToolCall(str(number), "read_file", "{}") for number in range(10_000))
    bounded = outputs.bounded(_reply("", calls))
    assert bounded.reply.message.tool_calls == calls[:64]
    assert bounded.cuts == ("9936 calls beyond 64 were left out",)


def test_a_call_with_huge_arguments_keeps_its_place_but_not_the_arguments() -> None:
    calls = (ToolCall("a", "write_file", "x" * 600_000), ToolCall("b", "bash", "{}"))
    bounded = outputs.bounded(_reply("", calls))
    assert [call.arguments for call in bounded.reply.message.tool_calls] == ["{}", "{}"]
    assert bounded.refused == {"a"}
    assert outputs.refusal(calls[0]).ok is False


@pytest.mark.parametrize(("size", "is_kept"), [(256_000, True), (256_001, False)])
def test_thoughts_are_kept_whole_or_not_at_all(size: int, is_kept: bool) -> None:
    thinking = Thinking("anthropic", "t" * size)
    reply = replace(_reply("So."), message=Message(Role.ASSISTANT, "So.", thinking=thinking))
    bounded = outputs.bounded(reply)
    assert bounded.reply.message.thinking == (thinking if is_kept else None)
    assert bool(bounded.cuts) is not is_kept


def test_a_name_of_a_tool_is_cut_too() -> None:
    [call] = outputs.bounded(_reply("", (ToolCall("a", "n" * 1_000_000, "{}"),))).reply.message.tool_calls
    assert len(call.name) == 64


@given(_ANY_TEXT, _ANY_TEXT, _ANY_TEXT)
def test_what_is_kept_can_always_be_encoded(text: str, name: str, arguments: str) -> None:
    kept = outputs.bounded(_reply(text, (ToolCall("a", name, arguments),))).reply.message
    json.dumps([kept.text, *[(call.name, call.arguments) for call in kept.tool_calls]], ensure_ascii=False).encode()


@given(st.text())
def test_well_formed_text_stays_as_it_is(text: str) -> None:
    assert outputs.well_formed(text) == text


def test_half_a_character_is_replaced() -> None:
    assert outputs.well_formed("a\ud83db") == "a?b"


def test_the_end_of_a_long_result_is_kept_longer_than_its_beginning() -> None:
    result = _result("b" * 100_000 + "e" * 100_000)
    assert outputs.is_too_long(result)
    shown = outputs.shortened(result, f"the rest is in {outputs.kept_at(result)}").text
    assert shown.count("e" * 24_000) == 1
    assert shown.index("characters left out") < 8_100
    assert "168000 characters left out; the rest is in .agent/outputs/t1r0c0.txt" in shown


def test_a_result_that_fits_is_shown_whole() -> None:
    result = _result("x" * 64_000)
    assert not outputs.is_too_long(result)
    assert outputs.shortened(result, "never said") == result


def test_what_no_file_may_hold_is_cut_off() -> None:
    assert len(outputs.whole_of(_result("ä" * 20_000_000))) == 32 * 1024 * 1024


def test_calls_that_were_left_out_are_told_with_the_last_result() -> None:
    first, last = outputs.with_left_out((_result("one"), _result("two")), 3)
    assert first.text == "one"
    assert last.text == "two\n[3 further calls were not run: at most 64 in one go]"
    assert outputs.with_left_out((_result("one"),), 0) == (_result("one"),)
    assert outputs.with_left_out((), 3) == ()
