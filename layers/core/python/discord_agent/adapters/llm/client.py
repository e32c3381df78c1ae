"""One attempt at a call through litellm, which translates requests and answers for every provider."""

import asyncio
import logging
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from discord_agent.adapters.llm.faults import Fault, UnusableAnswer, fault_of
from discord_agent.adapters.llm.patience import Patience
from discord_agent.adapters.llm.stream import collect
from discord_agent.adapters.llm.targets import Target
from discord_agent.adapters.llm.wire import parse_message, parse_usage, request_body
from discord_agent.domain.conversation import Json, ModelReply, ModelRequest

_NOISY: Final = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
"""Loggers with handlers of their own, which write providers' words, and so prompts, to the error output."""

_SWITCHES: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_MODE": "PRODUCTION",
}
"""They keep litellm from fetching price maps when it is imported, and from reading a ``.env`` file nearby."""

_GRACE: Final = 0.5
"""Seconds until an attempt is cancelled that litellm did not end itself: only an answer that trickles gets so far."""


class LiteLLMClient:
    """Asks targets; ``close`` ends its connections, and a later call opens new ones."""

    def __init__(self) -> None:
        self._http: Any = None

    async def attempt(
        self,
        request: ModelRequest,
        target: Target,
        patience: Patience,
        limit: float,
        emit: Callable[[str], None] | None,
    ) -> ModelReply | Fault:
        """Ask once, for ``limit`` seconds at most; with ``emit`` as a stream that tells the text so far. No cost yet."""
        litellm = load_litellm()
        from openai import OpenAIError  # noqa: PLC0415 (loaded with litellm, whose errors all derive from it)

        try:
            async with asyncio.timeout(limit + _GRACE):
                return await self._ask(litellm, request, target, patience, limit, emit)
        except (OpenAIError, TimeoutError, UnusableAnswer) as error:
            return fault_of(error, target.name)

    async def close(self) -> None:
        """End the connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _ask(
        self,
        litellm: ModuleType,
        request: ModelRequest,
        target: Target,
        patience: Patience,
        limit: float,
        emit: Callable[[str], None] | None,
    ) -> ModelReply:
        arguments = self._arguments(request, target, limit)
        if emit is None:
            response = await litellm.acompletion(**arguments)
            if not response.choices:
                raise UnusableAnswer("the answer held no choice")
            message, usage = response.choices[0].message, response.usage
        else:
            arguments |= {"stream": True, "stream_options": {"include_usage": True}}
            message, usage = await collect(await litellm.acompletion(**arguments), emit, silence=patience.silence)
        return ModelReply(parse_message(message, request, target.reader), target.name, parse_usage(usage))

    def _arguments(self, request: ModelRequest, target: Target, limit: float) -> Json:
        body = request_body(request, target.reader)
        # With tools litellm would import an MCP client of its own, to look for tools that it runs itself.
        arguments = target.arguments | body | {"num_retries": 0, "max_retries": 0, "_skip_mcp_handler": True}
        arguments["timeout"] = limit
        if target.through_gateway:
            # A gateway knows each model's maker and translates for it: litellm would take thoughts and marks out
            # first, as if the gateway were a model server, and out of the very messages it is given.
            arguments["messages"] = [_copied(message) for message in body["messages"]]
            arguments["extra_body"] = {"messages": body["messages"]}
            arguments["client"] = self._client()
        return arguments

    def _client(self) -> Any:
        """A client of our own for the gateway: litellm's cached ones are shared by event loops and never closed."""
        if self._http is None:
            from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler  # noqa: PLC0415 (loaded with litellm)

            self._http = AsyncHTTPHandler(follow_redirects=False)
        return self._http


def _copied(message: Json) -> Json:
    content = message["content"]
    return message | {"content": [dict(part) for part in content]} if isinstance(content, list) else dict(message)


def load_litellm() -> ModuleType:
    """Import litellm late, it costs seconds, with what it does on its own turned off."""
    for switch, value in _SWITCHES.items():
        os.environ.setdefault(switch, value)  # noqa: TID251 (litellm reads its switches nowhere else)
    import litellm  # noqa: PLC0415 (only functions that call models pay for it)

    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    litellm.suppress_debug_info = True
    litellm.disable_streaming_logging = True
    litellm.disable_token_counter = True
    # One HTTP client in the product: aiohttp's sessions complain when an environment ends without closing them.
    litellm.disable_aiohttp_transport = True
    module: ModuleType = litellm
    return module
