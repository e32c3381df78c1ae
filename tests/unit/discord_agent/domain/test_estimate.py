import base64
import hashlib
from copy import replace
from decimal import Decimal

import pytest

from discord_agent.domain import estimate
from discord_agent.domain.conversation import (
    Image,
    Message,
    ModelRequest,
    Purpose,
    Role,
    Thinking,
    ToolCall,
    ToolSpec,
)
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Price, Usage, Usd

REQUEST = ModelRequest(Purpose.TURN, ModelName("m"), (Message(Role.USER, "xx " * 100),), max_output_tokens=1000)


def test_all_input_counts_as_fresh_and_all_output_as_used() -> None:
    assert estimate.usage_bound(REQUEST) == Usage(input=210, output=1000)


@pytest.mark.parametrize(
    "more",
    [
        replace(REQUEST, messages=(*REQUEST.messages, Message(Role.USER, "y" * 30))),
        replace(REQUEST, messages=(Message(Role.ASSISTANT, "x" * 300, (ToolCall("1", "bash", '{"a": 1}'),)),)),
        replace(REQUEST, messages=(replace(REQUEST.messages[0], images=(Image("a.png", "image/png"),)),)),
        replace(REQUEST, messages=(replace(REQUEST.messages[0], thinking=Thinking("maker", "t" * 30)),)),
        replace(REQUEST, tools=(ToolSpec("bash", "Runs a command.", {"type": "object"}),)),
        replace(REQUEST, schema={"type": "object"}),
    ],
)
def test_everything_that_is_sent_counts(more: ModelRequest) -> None:
    assert estimate.usage_bound(more).input > estimate.usage_bound(REQUEST).input


def test_text_whose_characters_are_tokens_of_their_own_counts_by_its_bytes() -> None:
    request = replace(REQUEST, messages=(Message(Role.USER, "漢" * 300),))
    assert estimate.usage_bound(request).input >= 300


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (hashlib.sha512(b"seed").hexdigest() * 10, 772),
        (base64.b64encode(hashlib.sha512(b"seed").digest() * 10).decode(), 612),
        ("0.8444218515250481,0.7579544029403025," * 40, 720),
        ("[113, 4, 87, 902, 66], " * 40, 601),
        ("a=b(c,d[e]),f={g:h?i:j};" * 40, 560),
        ("🦉🪵🫠🧿 " * 100, 1201),
    ],
    ids=["hex", "base64", "fractions", "numbers", "minified code", "emoji"],
)
def test_text_that_no_tokeniser_knows_words_of_is_not_taken_for_prose(text: str, tokens: int) -> None:
    """``tokens`` is what the tokeniser of GPT-4 makes of it."""
    request = replace(REQUEST, messages=(Message(Role.USER, text),))
    assert estimate.usage_bound(request).input >= tokens


def test_a_call_costs_at_most_what_the_dearest_stand_in_takes() -> None:
    cheap, dear = Price(Decimal(1), Decimal(0), Decimal(2)), Price(Decimal(2), Decimal(0), Decimal(8))
    usage = Usage(input=1000, output=500)
    assert estimate.cost_bound(usage, (cheap, dear)) == Usd(Decimal("0.006"))
    assert estimate.cost_bound(usage, ()) == Usd()


def test_input_may_be_written_to_a_cache_for_more() -> None:
    price = Price(Decimal(1), Decimal(0), Decimal(2), cache_write=Decimal("1.25"))
    assert estimate.cost_bound(Usage(input=1000), (price,)) == Usd(Decimal("0.00125"))
