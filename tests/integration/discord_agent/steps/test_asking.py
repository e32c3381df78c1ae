from decimal import Decimal

import pytest

from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidReply
from discord_agent.domain.money import Usd
from discord_agent.replies import DecideReply
from discord_agent.steps.asking import ask
from tests.support.models import ask as request_for
from tests.support.models import scripted

VALID = {"should_respond": True, "reason": "Asked directly.", "task_type": "social"}
REQUEST = request_for("hello", purpose=Purpose.DECIDE)


def test_a_valid_reply_is_parsed_and_its_price_told() -> None:
    with scripted({"decide": [{"content": VALID}]}) as it:
        reply, spent = ask(it.model, REQUEST, DecideReply)

    assert reply == DecideReply.model_validate(VALID)
    assert spent.usage.input > 0
    assert spent.cost.known.amount > 0


@pytest.mark.parametrize(
    "text",
    [
        'Sure! ```json\n{"should_respond": true}\n```',
        'Here you are: {"should_respond": true}',
        '\n{"should_respond": true}\n```',
    ],
)
def test_a_reply_wrapped_in_words_is_understood(text: str) -> None:
    with scripted({"decide": [{"content": text}]}) as it:
        assert ask(it.model, REQUEST, DecideReply)[0].should_respond

    assert len(it.server.calls) == 1


def test_an_invalid_reply_is_asked_for_once_more_with_its_error() -> None:
    with scripted({"decide": [{"content": '{"reason": "hm"}'}, {"content": VALID}]}) as it:
        reply, spent = ask(it.model, REQUEST, DecideReply)

    first, second = it.server.calls
    assert reply.should_respond
    assert [message["role"] for message in second.messages] == ["user", "assistant", "user"]
    assert "should_respond: Field required" in second.messages[-1]["content"]
    assert first.usage is not None
    assert second.usage is not None
    assert spent.usage.input == first.usage["prompt_tokens"] + second.usage["prompt_tokens"]


def test_a_second_invalid_reply_is_given_up_on_and_both_are_paid_for() -> None:
    usage = {"prompt_tokens": 10_000, "completion_tokens": 0}
    lines = [{"content": "no", "usage": usage}, {"content": "[]", "usage": usage}, {"content": VALID}]
    with scripted({"decide": lines}) as it, pytest.raises(InvalidReply, match="decide") as caught:
        ask(it.model, REQUEST, DecideReply)

    assert len(it.server.calls) == 2
    assert caught.value.spent.known == Usd(Decimal("0.024"))
