import sys
import threading
from contextlib import suppress
from copy import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.model import LiteLLMModel
from discord_agent.adapters.llm.patience import PATIENCE, Patience
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.llm.wire import TEXT_LIMIT
from discord_agent.domain.conversation import (
    Image,
    Message,
    ModelReply,
    ModelRequest,
    Purpose,
    Role,
    ToolCall,
    ToolSpec,
)
from discord_agent.domain.errors import ContextTooLong, ModelRefused, ModelUnavailable, Stopped
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import UNKNOWN, Cost, Usage, Usd, cost_of
from discord_agent.system import SYSTEM
from tests.support.eventually import eventually
from tests.support.models import KEY, REGISTRY, Scripted, ask, scripted

BASH = ToolSpec("bash", "Run a command.", {"type": "object", "properties": {"command": {"type": "string"}}})
PRICES = ModelRegistry.load(REGISTRY)
IMPATIENT = Patience(attempt=0.3, total=20, silence=0.3, attempts=3, pause=0.001, longest_pause=0.05)


@pytest.fixture(scope="module", autouse=True)
def imports_are_done() -> None:
    """litellm imports much of itself in its first calls; later ones meet tight limits."""
    with scripted({}) as it:
        it.model.complete(ask())
        it.model.complete(ask(), on_text=lambda _: None)


def streamed(it: Scripted, request: ModelRequest) -> tuple[ModelReply, list[str]]:
    texts: list[str] = []
    return it.model.complete(request, on_text=texts.append), texts


def complete(it: Scripted, request: ModelRequest, *, stream: bool) -> ModelReply:
    return streamed(it, request)[0] if stream else it.model.complete(request)


both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@both_ways
def test_a_text_comes_back_with_its_tokens_and_its_price(stream: bool) -> None:
    usage = {
        "prompt_tokens": 100_000,
        "completion_tokens": 50_000,
        "cached_tokens": 20_000,
        "cache_write_tokens": 30_000,
    }
    with scripted({"respond": [{"content": "Bonjour.", "usage": usage}]}) as it:
        reply = complete(it, ask(model="claude-sonnet-4.5"), stream=stream)

    fresh, cached, written, output = map(Decimal, ("0.15", "0.006", "0.1125", "0.75"))
    assert reply == ModelReply(
        Message(Role.ASSISTANT, "I am scripted.\n\nBonjour."),
        ModelName("claude-sonnet-4.5"),
        Usage(input=100_000, cached_input=20_000, output=50_000, cache_write=30_000),
        Cost(Usd(fresh + cached + written + output), cached_input=Usd(cached), output=Usd(output)),
    )


def test_a_long_request_is_paid_at_the_price_of_long_requests() -> None:
    usage = {"prompt_tokens": 100_000, "completion_tokens": 0}
    with scripted({"respond": [{"content": "Hm.", "usage": usage}]}) as it:
        reply = it.model.complete(ask(model="qwen3-max"))

    assert reply.cost.known == Usd(Decimal("0.24"))


@both_ways
def test_a_model_without_a_price_costs_something_unknown(stream: bool) -> None:
    with scripted({"respond": [{"content": "Hi."}]}) as it:
        reply = complete(it, ask(model="gpt-oss-120b:exacto"), stream=stream)

    assert reply.usage.output > 0
    assert reply.cost == UNKNOWN


@both_ways
def test_tool_calls_come_back_with_their_arguments_as_sent(stream: bool) -> None:
    calls = [
        {"id": "a", "function": {"name": "bash", "arguments": {"command": "ls"}}},
        {"id": "b", "function": {"name": "bash", "arguments": '{"command": not json'}},
    ]
    with scripted({"turn": [{"content": "Looking.", "tool_calls": calls}]}) as it:
        reply = complete(it, ask(purpose=Purpose.TURN, tools=(BASH,)), stream=stream)

    assert reply.message.tool_calls == (
        ToolCall("a", "bash", '{"command": "ls"}'),
        ToolCall("b", "bash", '{"command": not json'),
    )


def test_a_stream_tells_the_text_so_far() -> None:
    with scripted({"respond": [{"content": "word " * 40}]}) as it:
        reply, texts = streamed(it, ask())

    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert texts[-1] == reply.message.text


def test_a_schema_is_asked_for_under_the_name_of_the_purpose() -> None:
    with scripted({"plan": [{"content": {"topic_slug": "tea"}}]}) as it:
        reply = it.model.complete(ask(purpose=Purpose.PLAN, schema={"type": "object"}))

    assert reply.message.text == '{"topic_slug": "tea"}'
    assert it.server.calls[0].purpose == Purpose.PLAN


def test_models_of_the_responses_api_are_asked_for_chat_completions_too() -> None:
    with scripted({"respond": [{"content": "Hi."}]}) as it:
        it.model.complete(ask(model="gpt-5.1-codex-mini"))

    assert it.server.calls[0].model == "gpt-5.1-codex-mini"


def test_a_conversation_with_gaps_is_mended_before_it_is_sent() -> None:
    request = ModelRequest(
        Purpose.TURN,
        ModelName("qwen3-max"),
        (
            Message(Role.USER, "Go."),
            Message(Role.ASSISTANT, "", (ToolCall("a", "bash", "{broken"), ToolCall("b", "bash", "{}"))),
            Message(Role.TOOL, "late", tool_call_id="b"),
            Message(Role.TOOL, "orphan", tool_call_id="z"),
            Message(Role.ASSISTANT, ""),
        ),
        tools=(BASH,),
    )
    with scripted({"turn": [{"content": "one"}, {"content": "two"}]}) as it:
        reply = it.model.complete(request)

    assert reply.message.text == "two"
    assert [(m["role"], m.get("tool_call_id")) for m in it.server.calls[0].messages] == [
        ("user", None),
        ("assistant", None),
        ("tool", "a"),
        ("tool", "b"),
    ]


@both_ways
@pytest.mark.parametrize(
    "fault",
    [
        {"http": 500},
        {"http": 503, "times": 2},
        {"http": 429, "retry_after": 0.01},
        {"http": 408},
        {"drop": True},
        {"garbage": True},
        {"truncated": True},
        [{"http": 500}, {"drop": True}],
    ],
    ids=str,
)
def test_a_passing_fault_is_retried_until_the_answer_comes(fault: object, stream: bool) -> None:
    with scripted({"respond": [{"content": "At last. " * 30, "fault": fault}]}) as it:
        reply = complete(it, ask(), stream=stream)

    assert "At last." in reply.message.text
    assert [call.fault for call in it.server.calls][-1] is None
    assert len(it.server.calls) > 1


LASTING: dict[str, tuple[dict[str, object], str, int]] = {
    "http 500": ({"http": 500}, "is failing (HTTP 500)", 1),
    "http 429": ({"http": 429}, "is busy (HTTP 429)", 1),
    "garbage": ({"garbage": True}, "", 1),
    "truncated": ({"truncated": True}, "", 1),
    # litellm itself repeats a whole call whose connection broke, once, on a new connection.
    "drop": ({"drop": True}, "the connection to the provider", 2),
    "hang": ({"hang": True}, "did not answer in time", 1),
    "stall": ({"stall": 60}, "did not answer in time", 1),
}


@both_ways
@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_fault_everywhere_makes_the_model_unavailable(name: str, stream: bool) -> None:
    fault, words, sent = LASTING[name]
    script = {"respond": [{"content": "Hi. " * 40, "fault": {**fault, "times": 99}}]}
    with scripted(script, patience=IMPATIENT) as it, pytest.raises(ModelUnavailable) as caught:
        complete(it, ask(), stream=stream)

    sent = 1 if stream else sent
    assert words in str(caught.value)
    assert [name in str(caught.value) for name in ("qwen3-max", "gpt-5.2-codex", "claude-sonnet-4.5")] == [True] * 3
    assert str(caught.value).count("(attempts: 3)") == 1
    assert str(caught.value).count("(attempts: 2)") == 2
    assert it.server.arrivals == (3 + 2 + 2) * sent
    assert len(it.faults) == 3 + 2 + 2


@both_ways
@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_fault_of_one_model_is_answered_by_another_of_its_tier_which_is_said(name: str, stream: bool) -> None:
    fault, _, _ = LASTING[name]
    script = {"respond": [{"content": "Hi. " * 40, "fault": {**fault, "model": "qwen", "times": 99}}]}
    with scripted(script, patience=IMPATIENT) as it:
        reply = complete(it, ask(model="qwen3-max"), stream=stream)

    assert (reply.model, reply.instead_of) == ("gpt-5.2-codex", "qwen3-max")
    assert reply.message.text.count("Hi.") == 40
    assert reply.cost.known == cost_of(reply.usage, PRICES.price(reply.model)).known


def test_a_model_that_answers_itself_stands_in_for_nobody() -> None:
    with scripted({"respond": [{"content": "Hi.", "fault": {"http": 500}}]}) as it:
        reply = it.model.complete(ask(model="qwen3-max"))

    assert (reply.model, reply.instead_of) == ("qwen3-max", None)


def test_a_stand_in_that_refuses_is_passed_over() -> None:
    faults = [{"http": 503, "model": "qwen", "times": 99}, {"http": 404, "model": "gpt", "times": 99}]
    with scripted({"respond": [{"content": "Hi.", "fault": faults}]}) as it:
        reply = it.model.complete(ask(model="qwen3-max"))

    assert reply.model == "claude-sonnet-4.5"
    assert [call.model for call in it.server.calls].count("gpt-5.2-codex") == 1


def test_a_stand_in_gets_time_although_the_model_hangs() -> None:
    slow = Patience(attempt=1, total=2, silence=600, pause=0.001)
    with scripted({"respond": [{"content": "Hi.", "fault": {"hang": True, "model": "qwen"}}]}, patience=slow) as it:
        reply = it.model.complete(ask(model="qwen3-max"))

    assert reply.instead_of == "qwen3-max"


def test_an_attempt_that_was_answered_and_lost_is_charged_at_an_estimate() -> None:
    with scripted({"respond": [{"content": "Hi. " * 40, "fault": {"truncated": True}}]}) as it:
        broken = it.model.complete(ask("question " * 1000))
    with scripted({"respond": [{"content": "Hi. " * 40, "fault": {"http": 500}}]}) as it:
        refused = it.model.complete(ask("question " * 1000))

    assert broken.cost.estimated > Usd(Decimal("0.001"))
    assert broken.cost.known == refused.cost.known
    assert refused.cost.estimated == Usd()


@both_ways
def test_a_conversation_that_is_too_long_is_told_apart_and_nobody_else_is_asked(stream: bool) -> None:
    with scripted({"respond": [{"fault": {"context": True}}]}) as it, pytest.raises(ContextTooLong, match="qwen3-max"):
        complete(it, ask(), stream=stream)

    assert len(it.server.calls) == 1
    assert it.faults == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_retried_and_shows_neither_key_nor_the_providers_words(status: int) -> None:
    with scripted({"respond": [{"fault": {"http": status}}]}) as it, pytest.raises(ModelRefused) as caught:
        it.model.complete(ask())

    assert f"HTTP {status}" in str(caught.value)
    assert "scripted fault" not in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert len(it.server.calls) == len(it.faults) == 1


def test_a_wrong_key_is_refused() -> None:
    with scripted({}, key="another-key") as it, pytest.raises(ModelRefused, match="check that the key is valid"):
        it.model.complete(ask())

    assert it.server.calls == ()


def test_a_provider_that_asks_for_too_long_a_pause_is_not_waited_for() -> None:
    with (
        scripted({"respond": [{"fault": {"http": 429, "retry_after": 60}}]}) as it,
        pytest.raises(ModelUnavailable),
    ):
        it.model.complete(ask())

    assert [call.model for call in it.server.calls] == ["qwen3-max", "gpt-5.2-codex", "claude-sonnet-4.5"]


def test_a_server_that_is_gone_makes_the_model_unavailable() -> None:
    with scripted({}) as it:
        it.server.stop()
        with pytest.raises(ModelUnavailable):
            it.model.complete(ask())


def test_a_stream_that_stalls_for_too_long_is_broken_off_and_repeated() -> None:
    fault = {"stall": 60}
    with scripted({"respond": [{"content": "word " * 40, "fault": fault}]}, patience=IMPATIENT) as it:
        reply, texts = streamed(it, ask())

    assert reply.message.text.count("word") == 40
    assert [(call.fault, call.delivered) for call in it.server.calls] == [("stall", False), (None, True)]
    assert texts[-1] == reply.message.text


def test_a_short_stall_is_waited_for() -> None:
    with scripted({"respond": [{"content": "word " * 40, "fault": {"stall": 0.05}}]}) as it:
        reply, _ = streamed(it, ask())

    assert "word" in reply.message.text
    assert len(it.server.calls) == 1


@both_ways
def test_a_stop_ends_a_hanging_call(stream: bool) -> None:
    with scripted({"respond": [{"fault": {"hang": True}}]}) as it:
        with pytest.raises(Stopped):
            it.model.complete(
                ask(),
                stop_requested=lambda: it.server.arrivals > 0,
                on_text=(lambda _: None) if stream else None,
            )
        calls = eventually(lambda: it.server.calls)

    assert [call.delivered for call in calls] == [False]


def test_a_stop_ends_the_pause_between_attempts() -> None:
    patience = Patience(attempt=20, total=1200, pause=300, longest_pause=300)
    with (
        scripted({"respond": [{"fault": {"http": 500}}]}, patience=patience) as it,
        pytest.raises(Stopped),
    ):
        it.model.complete(ask(), stop_requested=lambda: len(it.server.calls) > 0)


def test_an_error_of_the_listener_ends_the_call() -> None:
    def refuse(text: str) -> None:
        raise ValueError(text)

    with (
        scripted({"respond": [{"content": "Hi.", "fault": {"stall": 60}}]}) as it,
        pytest.raises(ValueError, match="I am"),
    ):
        it.model.complete(ask(), on_text=refuse)


@both_ways
def test_an_empty_answer_is_asked_for_once_more_and_paid_for(stream: bool) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1}
    with scripted({"turn": [{"content": "", "usage": usage}], "introduction": " "}) as it:
        reply = complete(it, ask(purpose=Purpose.TURN, tools=(BASH,)), stream=stream)

    assert reply.message.text.strip() == ""
    assert reply.usage == Usage(input=20, output=2)
    assert len(it.server.calls) == 2


def test_an_empty_answer_is_not_asked_for_again_beyond_what_the_call_may_cost() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1}
    with scripted({"turn": [{"content": "", "usage": usage}], "introduction": " "}) as it:
        request = replace(ask(purpose=Purpose.TURN, tools=(BASH,)), may_cost=Usd())
        assert it.model.complete(request).usage == Usage(input=10, output=1)
    assert len(it.server.calls) == 1


def test_call_ids_that_were_used_before_are_replaced() -> None:
    earlier = (
        Message(Role.USER, "Go."),
        Message(Role.ASSISTANT, "", (ToolCall("same", "bash", "{}"),)),
        Message(Role.TOOL, "done", tool_call_id="same"),
    )
    call: dict[str, Any] = {"id": "same", "function": {"name": "bash", "arguments": {}}}
    request = ModelRequest(Purpose.TURN, ModelName("qwen3-max"), earlier, tools=(BASH,))
    with scripted({"turn": [{"content": "skipped"}, {"tool_calls": [call]}]}) as it:
        reply = it.model.complete(request)

    assert [call.id for call in reply.message.tool_calls] == ["call_3_0"]


def test_calls_from_several_threads_run_side_by_side() -> None:
    replies: dict[str, str] = {}
    together = threading.Barrier(2, timeout=10)

    def run(name: str) -> None:
        together.wait()
        replies[name] = it.model.complete(ask(name)).message.text

    script = {"respond": [{"content": "one", "when": "first"}, {"content": "two", "when": "second"}]}
    with scripted(script) as it:
        threads = [threading.Thread(target=run, args=(name,)) for name in ("first", "second")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    assert {name: text.split()[-1] for name, text in replies.items()} == {"first": "one", "second": "two"}


def test_a_closed_model_can_be_used_again() -> None:
    with scripted({"respond": [{"content": "Hi."}]}) as it:
        first = it.model.complete(ask())
        it.model.close()

        assert it.model.complete(ask()) == first


def test_offering_tools_loads_no_tool_client() -> None:
    with scripted({"turn": [{"content": "Hi."}]}) as it:
        it.model.complete(ask(purpose=Purpose.TURN, tools=(BASH,)))

    assert "litellm.responses.mcp.chat_completions_handler" not in sys.modules


@both_ways
@pytest.mark.parametrize("fault", [{"http": 400}, {"http": 500}, {"drop": True}, {"garbage": True}], ids=str)
def test_neither_the_conversation_nor_the_key_reaches_the_logs(
    fault: object, stream: bool, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    with (
        scripted({"respond": [{"content": "a private answer", "fault": fault}]}) as it,
        suppress(ModelRefused),
    ):
        complete(it, ask("a private question"), stream=stream)

    written = caplog.text + "".join(capfd.readouterr())
    assert "private" not in written
    assert KEY not in written
    assert "LiteLLM" not in written


def test_the_limits_of_a_purpose_let_an_invalid_reply_be_asked_for_twice() -> None:
    seconds = {purpose: PATIENCE[purpose].total for purpose in Purpose}
    longest = {
        "classify": 2 * seconds[Purpose.DECIDE],
        "plan": seconds[Purpose.SUMMARIZE]
        + 2 * (2 * seconds[Purpose.REFLECT] + seconds[Purpose.PLAN] + seconds[Purpose.TITLE]),
        "reflect": 2 * seconds[Purpose.REFLECT],
        "respond": seconds[Purpose.SUMMARIZE] + seconds[Purpose.RESPOND],
        "frame": seconds[Purpose.SUMMARIZE] + 2 * seconds[Purpose.PLAN],
        "turn": seconds[Purpose.COMPACT] + seconds[Purpose.TURN],
    }

    assert {name for name, total in longest.items() if total >= SYSTEM.functions[name].timeout} == set()


def test_a_model_that_no_configured_provider_serves_is_refused() -> None:
    model = LiteLLMModel(ModelRegistry.load(REGISTRY), lambda: ModelAccess(provider_keys={"nobody": "key"}))

    with pytest.raises(ModelRefused, match="none of the configured providers serves qwen3-max"):
        model.complete(ask(model="qwen3-max"))


@both_ways
def test_what_a_model_thought_goes_back_to_it_through_the_gateway(stream: bool) -> None:
    block = {"type": "thinking", "thinking": "Let me see. " * 20, "signature": "signed"}
    lines = [{"content": "Looking.", "thinking_blocks": [block]}, {"content": "Done."}]
    with scripted({"turn": lines, "introduction": " "}) as it:
        first = complete(it, ask(purpose=Purpose.TURN, model="claude-sonnet-4.5", tools=(BASH,)), stream=stream)
        said = (*ask().messages, first.message, Message(Role.USER, "Go on."))
        for model in ("claude-opus-4.5", "gpt-5.2-codex"):
            it.model.complete(ModelRequest(Purpose.TURN, ModelName(model), said, tools=(BASH,)))

    same_maker, other_maker = (call.messages[1] for call in it.server.calls[1:])
    assert same_maker == {"role": "assistant", "content": first.message.text, "thinking_blocks": [block]}
    assert other_maker == {"role": "assistant", "content": first.message.text}


def test_marks_and_pictures_reach_the_gateway() -> None:
    look = Message(Role.USER, "What is this?", images=(Image("a.png", "image/png"),))
    request = ModelRequest(Purpose.RESPOND, ModelName("claude-sonnet-4.5"), (look,), image_bytes={"a.png": b"x"})
    with scripted({"respond": [{"content": "A cat."}]}) as it:
        it.model.complete(request)

    ((text, picture),) = (message["content"] for message in it.server.calls[0].messages)
    assert text == {"type": "text", "text": "What is this?"}
    assert picture == {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,eA=="},
        "cache_control": {"type": "ephemeral"},
    }


def test_an_answer_of_two_megabytes_is_cut_and_says_so() -> None:
    with scripted({"respond": [{"content": "word " * 400_000}], "introduction": " "}) as it:
        reply = it.model.complete(ask())

    assert TEXT_LIMIT <= len(reply.message.text) < TEXT_LIMIT + 100
    assert reply.message.text.endswith("(cut: the reply was too long)")
    assert reply.usage.output > TEXT_LIMIT // 4


def test_a_stop_ends_an_answer_that_keeps_coming() -> None:
    told: list[str] = []
    with scripted({"respond": [{"content": "word " * 10_000}]}, poll=0.0) as it, pytest.raises(Stopped):
        it.model.complete(ask(), stop_requested=lambda: bool(told), on_text=told.append)

    assert told
