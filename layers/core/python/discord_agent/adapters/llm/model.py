"""The port ``LanguageModel`` through litellm: one gateway, or the providers themselves."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from copy import replace
from typing import Final

from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.background import BackgroundLoop
from discord_agent.adapters.llm.client import LiteLLMClient
from discord_agent.adapters.llm.faults import Fault, FaultKind
from discord_agent.adapters.llm.insisting import Insistence
from discord_agent.adapters.llm.mailbox import Mailbox
from discord_agent.adapters.llm.patience import PATIENCE, Patience
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.llm.targets import Target, targets
from discord_agent.domain.conversation import ModelReply, ModelRequest, Purpose
from discord_agent.domain.errors import ModelUnavailable, Stopped
from discord_agent.domain.estimate import cost_bound, usage_bound
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import UNKNOWN, Cost, Usage, cost_of

POLL_SECONDS: Final = 0.5


class LiteLLMModel:
    """Any model behind one call; ``close`` ends its connections and its thread.

    ``access`` is asked for every time, because keys may be rotated. ``on_fault`` hears of each attempt that a provider failed or refused.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        access: Callable[[], ModelAccess],
        *,
        patience: Mapping[Purpose, Patience] = PATIENCE,
        poll: float = POLL_SECONDS,
        jitter: Callable[[], float] = random.random,
        on_fault: Callable[[], object] | None = None,
    ) -> None:
        self._registry = registry
        self._access = access
        self._patience = patience
        self._poll = poll
        self._jitter = jitter
        self._on_fault = on_fault
        self._background = BackgroundLoop("models")
        self._client = LiteLLMClient()

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        """Ask once; see the port. ``on_text`` gets the text so far, which starts anew when an attempt is repeated."""
        asked = targets(request.model, self._registry, self._access())
        mailbox = Mailbox()
        future = self._background.submit(self._ask(request, asked, mailbox.put if on_text else None))
        future.add_done_callback(lambda _: mailbox.close())
        try:
            self._wait(mailbox, stop_requested, on_text)
        finally:
            future.cancel()
        try:
            return future.result()
        except CancelledError as error:
            raise ModelUnavailable("the model client was closed during the call") from error

    def close(self) -> None:
        """End the connections and the thread."""
        self._background.submit(self._client.close()).result()
        self._background.close()

    def _wait(
        self,
        mailbox: Mailbox,
        stop_requested: Callable[[], bool] | None,
        on_text: Callable[[str], None] | None,
    ) -> None:
        next_poll = time.monotonic() + self._poll
        is_over = False
        while not is_over:
            text, is_over = mailbox.take(max(0.0, next_poll - time.monotonic()))
            if text is not None and on_text:
                on_text(text)
            if not is_over and time.monotonic() >= next_poll:
                next_poll = time.monotonic() + self._poll
                if stop_requested and stop_requested():
                    raise Stopped("stopped while waiting for the model")

    async def _ask(
        self, request: ModelRequest, asked: Sequence[Target], emit: Callable[[str], None] | None
    ) -> ModelReply:
        patience = self._patience[request.purpose]

        async def attempt(target: Target, limit: float) -> ModelReply | Fault:
            outcome = await self._client.attempt(request, target, patience, limit, emit)
            if isinstance(outcome, ModelReply):
                return replace(outcome, cost=self._cost(outcome))
            if self._on_fault and outcome.kind is not FaultKind.TOO_LONG:
                self._on_fault()
            return replace(outcome, cost=self._estimate(request, target.name)) if outcome.was_answered else outcome

        return await Insistence(patience, attempt, self._jitter, self._affordable(request, asked)).ask(asked)

    def _affordable(self, request: ModelRequest, asked: Sequence[Target]) -> Callable[[Cost], bool]:
        """Whether another attempt fits into what the request may cost; what is not known is taken to be all of one."""
        usage = usage_bound(request)
        prices = (self._registry.price(target.name, usage.input) for target in asked)
        bound = cost_bound(usage, filter(None, prices))

        def affordable(spent: Cost) -> bool:
            due = spent.charged + (bound * 2 if spent.partial else bound)
            return request.may_cost is None or due <= request.may_cost

        return affordable

    def _cost(self, reply: ModelReply) -> Cost:
        tokens_known = reply.usage != Usage()
        return cost_of(reply.usage, self._registry.price(reply.model, reply.usage.input)) if tokens_known else UNKNOWN

    def _estimate(self, request: ModelRequest, model: ModelName) -> Cost:
        """What the input of an attempt without an answer is charged at."""
        read = Usage(input=usage_bound(request).input)
        cost = cost_of(read, self._registry.price(model, read.input))
        return Cost(partial=cost.partial, estimated=cost.known)
