"""The port ``LanguageModel`` through litellm: one gateway, or the providers themselves."""

import asyncio
import logging
import os
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit

from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.background import BackgroundLoop
from discord_agent.adapters.llm.faults import Fault, UnusableAnswer, fault_of
from discord_agent.adapters.llm.patience import PATIENCE, Patience
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.llm.stream import collect
from discord_agent.adapters.llm.wire import parse_message, parse_usage, request_body
from discord_agent.domain.conversation import Json, ModelReply, ModelRequest, Purpose
from discord_agent.domain.errors import ModelRefused, ModelUnavailable, Stopped
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import UNKNOWN, Cost, Usage, cost_of

POLL_SECONDS: Final = 0.5
_CANCEL_LIMIT: Final = 1.0

# Under "openai/" litellm sends some models to the Responses API, and OpenAI's client spends milliseconds on every
# message it sends again; this way any server that speaks chat completions gets what it is given.
_GATEWAY: Final = "hosted_vllm"


_NOISY: Final = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
"""Loggers with handlers of their own, which write providers' words, and so prompts, to the error output."""


@dataclass(frozen=True, slots=True)
class _Target:
    """The model really called, and the arguments that reach it."""

    name: ModelName
    arguments: Json


class LiteLLMModel:
    """Any model behind one call; ``close`` ends its connections and its thread."""

    def __init__(
        self,
        registry: ModelRegistry,
        access: ModelAccess,
        *,
        patience: Mapping[Purpose, Patience] = PATIENCE,
        poll: float = POLL_SECONDS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._registry = registry
        self._access = access
        self._patience = patience
        self._poll = poll
        self._jitter = jitter
        self._background = BackgroundLoop("models")
        self._client: Any = None

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        """Ask once; see the port. ``on_text`` gets the text so far, which starts anew when an attempt is repeated."""
        target = self._target(request.model)
        signals: SimpleQueue[str | None] = SimpleQueue()
        future = self._background.submit(self._ask(request, target, signals.put if on_text else None))
        future.add_done_callback(lambda _: signals.put(None))
        try:
            self._wait(signals, stop_requested, on_text)
        finally:
            if not future.done():
                future.cancel()
                with suppress(Empty):
                    while signals.get(timeout=_CANCEL_LIMIT) is not None:
                        pass
        try:
            return future.result()
        except CancelledError as error:
            raise ModelUnavailable("the model client was closed during the call") from error

    def close(self) -> None:
        """End the connections and the thread."""
        if self._client is not None:
            self._background.submit(self._client.close()).result()
            self._client = None
        self._background.close()

    def _wait(
        self,
        signals: SimpleQueue[str | None],
        stop_requested: Callable[[], bool] | None,
        on_text: Callable[[str], None] | None,
    ) -> None:
        next_poll = time.monotonic() + self._poll
        while True:
            try:
                signal = signals.get(timeout=max(0.0, next_poll - time.monotonic()))
                if signal is None:
                    return
                if on_text:
                    on_text(signal)
            except Empty:
                next_poll = time.monotonic() + self._poll
                if stop_requested and stop_requested():
                    raise Stopped("stopped while waiting for the model") from None

    def _target(self, model: ModelName) -> _Target:
        if self._access.base_url:
            url = _with_version(self._access.base_url)
            arguments = {"model": f"{_GATEWAY}/{model}", "api_base": url, "api_key": self._access.key}
            return _Target(model, arguments)
        keys = self._access.provider_keys
        served = self._registry.reachable(model, keys.keys())
        provider_id = self._registry.served_by(served, keys.keys()) if served else None
        if served is None or provider_id is None:
            raise ModelRefused(f"none of the configured providers serves {model} or a model like it")
        return _Target(served, {"model": provider_id, "api_key": keys[provider_id.partition("/")[0]]})

    async def _ask(self, request: ModelRequest, target: _Target, emit: Callable[[str], None] | None) -> ModelReply:
        """Attempts with growing pauses, until one succeeds or the patience for this purpose ends."""
        litellm = _load_litellm()
        patience = self._patience[request.purpose]
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience.total
        empty: ModelReply | None = None
        for attempt in range(1, patience.attempts + 1):
            limit = min(patience.attempt, deadline - clock())
            outcome = await self._try(self._attempt(litellm, request, target, emit), target, limit)
            if isinstance(outcome, Fault):
                fault = outcome
            elif empty or not _is_empty(outcome):
                return self._priced(_together(outcome, empty))
            else:
                empty, fault = outcome, Fault("the answer was empty", transient=True)
            if not fault.transient:
                raise ModelRefused(fault.sentence)
            pause = self._pause(patience, attempt, fault)
            if pause is None or attempt == patience.attempts or clock() + pause >= deadline:
                break
            await asyncio.sleep(pause)
        if empty:
            return self._priced(empty)
        raise ModelUnavailable(f"{fault.sentence} (attempts: {attempt})")

    async def _try(self, work: Coroutine[Any, Any, ModelReply], target: _Target, limit: float) -> ModelReply | Fault:
        from openai import OpenAIError  # noqa: PLC0415 (loaded with litellm, whose errors all derive from it)

        try:
            async with asyncio.timeout(limit):
                return await work
        except (OpenAIError, TimeoutError, UnusableAnswer) as error:
            return fault_of(error, target.name)

    async def _attempt(
        self, litellm: ModuleType, request: ModelRequest, target: _Target, emit: Callable[[str], None] | None
    ) -> ModelReply:
        arguments = target.arguments | request_body(request) | {"num_retries": 0, "max_retries": 0}
        if self._access.base_url:
            arguments["client"] = self._gateway_client()
        patience = self._patience[request.purpose]
        # With tools litellm would import an MCP client of its own, to look for tools that it runs itself.
        arguments |= {"timeout": patience.attempt, "_skip_mcp_handler": True}
        if emit is None:
            response = await litellm.acompletion(**arguments)
            if not response.choices:
                raise UnusableAnswer("the answer held no choice")
            message, usage = response.choices[0].message, response.usage
        else:
            arguments |= {"stream": True, "stream_options": {"include_usage": True}}
            message, usage = await collect(await litellm.acompletion(**arguments), emit, silence=patience.silence)
        return ModelReply(parse_message(message, request), target.name, parse_usage(usage))

    def _gateway_client(self) -> Any:
        """A client of our own for the gateway: litellm's cached ones are shared by event loops and never closed."""
        if self._client is None:
            from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler  # noqa: PLC0415 (loaded with litellm)

            self._client = AsyncHTTPHandler(follow_redirects=False)
        return self._client

    def _priced(self, reply: ModelReply) -> ModelReply:
        tokens_known = reply.usage != Usage()
        cost: Cost = cost_of(reply.usage, self._registry.price(reply.model)) if tokens_known else UNKNOWN
        return replace(reply, cost=cost)

    def _pause(self, patience: Patience, attempt: int, fault: Fault) -> float | None:
        """Seconds until the next attempt; None when the provider asks for more than we wait."""
        if fault.retry_after is not None and fault.retry_after > patience.longest_pause:
            return None
        grown = min(patience.pause * 2.0 ** (attempt - 1), patience.longest_pause) * self._jitter()
        return max(fault.retry_after or 0.0, grown)


def _is_empty(reply: ModelReply) -> bool:
    return not reply.message.text.strip() and not reply.message.tool_calls


def _together(reply: ModelReply, earlier: ModelReply | None) -> ModelReply:
    return replace(reply, usage=reply.usage + earlier.usage) if earlier else reply


def _with_version(base_url: str) -> str:
    """``http://litellm:4000`` means its ``/v1``; a URL with a path is taken as it is."""
    url = base_url.rstrip("/")
    return url if urlsplit(url).path else f"{url}/v1"


def _load_litellm() -> ModuleType:
    """Import litellm late, it costs seconds; its switches keep it from fetching price maps when imported."""
    for switch in ("LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"):
        os.environ.setdefault(switch, "True")  # noqa: TID251 (litellm reads its switches nowhere else)
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
