"""What a model call may cost at most, before it is made.

Tokens are not counted but bounded: no tokeniser is needed, and people's limits hold for every model.
"""

import json
import string
from collections.abc import Iterable
from copy import replace
from functools import lru_cache
from typing import Final

from discord_agent.domain.conversation import Message, ModelRequest
from discord_agent.domain.money import NOTHING, Price, Usage, Usd, cost_of

_BYTES_PER_TOKEN: Final = 3
"""Of words: English prose has more than four, code about three and a half."""
_ENCODED: Final = 48
"""A word of so many characters is none, but base64, a key and the like: nearly every byte may be a token of its own."""
_OF_WORDS: Final = (string.ascii_letters + string.whitespace).encode()
"""The other bytes, such as digits, punctuation and emoji, may each be a token of their own."""
_TOKENS_PER_IMAGE: Final = 2500
"""Providers scale larger pictures down to about this."""
_TOKENS_PER_MESSAGE: Final = 10
_TOKENS_PER_REQUEST: Final = 100


def usage_bound(request: ModelRequest) -> Usage:
    """The tokens a call may take: all input fresh, all output used."""
    said = sum(map(_tokens, request.messages))
    offered = sum(len(json.dumps([tool.name, tool.description, tool.parameters])) for tool in request.tools)
    shape = len(json.dumps(request.schema)) if request.schema else 0
    shown = sum(len(message.images) for message in request.messages)
    overhead = _TOKENS_PER_REQUEST + _TOKENS_PER_MESSAGE * len(request.messages) + _TOKENS_PER_IMAGE * shown
    return Usage(input=said + (offered + shape) // _BYTES_PER_TOKEN + overhead, output=request.max_output_tokens)


def cost_bound(usage: Usage, prices: Iterable[Price]) -> Usd:
    """What so many tokens cost at the dearest of some prices, written to a cache or not."""
    ways = (usage, replace(usage, cache_write=usage.input))
    return max((cost_of(way, price).known for price in prices for way in ways), default=NOTHING)


def _tokens(message: Message) -> int:
    calls = (part for call in message.tool_calls for part in (call.name, call.arguments))
    thought = message.thinking.content if message.thinking else ""
    return sum(map(_tokens_of, (message.text, *calls, thought)))


# A conversation is bounded anew before every call, and all of it but its end has been bounded before.
@lru_cache(maxsize=2048)
def _tokens_of(text: str) -> int:
    encoded = "".join(word for word in text.split() if len(word) >= _ENCODED).encode()
    whole = text.encode()
    others = len(whole.translate(None, _OF_WORDS)) - len(encoded.translate(None, _OF_WORDS))
    words = len(whole) - len(encoded) - others
    return len(encoded) + others + -(-words // _BYTES_PER_TOKEN)
