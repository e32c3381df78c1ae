"""What a model call may cost at most, before it is made.

Tokens are not counted but bounded: no tokeniser is needed, and people's limits hold for every model.
"""

import json
from typing import Final

from discord_agent.domain.conversation import Message, ModelRequest
from discord_agent.domain.money import Price, Usage, Usd, cost_of

_BYTES_PER_TOKEN: Final = 3
"""English prose has more than four, code about three and a half, Chinese three."""
_TOKENS_PER_MESSAGE: Final = 10
_TOKENS_PER_REQUEST: Final = 100


def usage_bound(request: ModelRequest) -> Usage:
    """The tokens a call may take: all input fresh, all output used."""
    said = sum(map(_bytes, request.messages))
    offered = sum(len(json.dumps([tool.name, tool.description, tool.parameters])) for tool in request.tools)
    shape = len(json.dumps(request.schema)) if request.schema else 0
    overhead = _TOKENS_PER_REQUEST + _TOKENS_PER_MESSAGE * len(request.messages)
    return Usage(input=(said + offered + shape) // _BYTES_PER_TOKEN + overhead, output=request.max_output_tokens)


def cost_bound(request: ModelRequest, price: Price | None) -> Usd | None:
    """What a call may cost; None when its price is not known."""
    return None if price is None else cost_of(usage_bound(request), price).known


def _bytes(message: Message) -> int:
    calls = sum(len(call.name) + len(call.arguments.encode()) for call in message.tool_calls)
    return len(message.text.encode()) + calls
