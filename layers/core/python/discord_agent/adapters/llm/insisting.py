"""How often one call is tried, where, and for how long: patience first with one model, then with those that stand in."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.adapters.llm.faults import Fault, FaultKind
from discord_agent.adapters.llm.patience import Patience
from discord_agent.adapters.llm.targets import Target
from discord_agent.domain.conversation import ModelReply
from discord_agent.domain.errors import ContextTooLong, ModelRefused, ModelUnavailable
from discord_agent.domain.money import Cost

type Attempt = Callable[[Target, float], Awaitable[ModelReply | Fault]]

_ATTEMPTS_OF_OTHERS: Final = 2
_EMPTY: Final = Fault("the answer was empty")


class Insistence(Struct):
    """One call being made; ``attempt`` asks a target once, within a number of seconds.

    ``empty`` is an answer without content that was paid for, ``lost`` what attempts cost that gave nothing;
    ``affordable`` says whether there is money for another attempt after so much was spent.
    """

    patience: Patience
    attempt: Attempt
    jitter: Callable[[], float]
    affordable: Callable[[Cost], bool] = lambda _: True
    empty: ModelReply | None = None
    lost: Cost = Cost()

    async def ask(self, targets: Sequence[Target]) -> ModelReply:
        """Ask the first target, and the others in turn while its provider fails.

        While others are left, a target gets half of the time that remains, the first one a whole attempt at least.
        Errors: ContextTooLong and ModelRefused as the first one says, ModelUnavailable when nobody answers.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.patience.total
        faults: list[Fault] = []
        for number, target in enumerate(targets):
            if number and (clock() >= deadline or not self._may_go_on()):
                break
            until = clock() + self._share(deadline - clock(), is_first=not number, is_last=number + 1 == len(targets))
            outcome = await self._insist(target, until, _ATTEMPTS_OF_OTHERS if number else self.patience.attempts)
            if isinstance(outcome, ModelReply):
                return self._told(outcome, targets[0])
            faults.append(outcome)
            if faults[0].kind is not FaultKind.PASSING:
                raise _refusal(faults[0], self.lost)
        if self.empty:
            return self._told(self.empty, targets[0])
        raise ModelUnavailable("; ".join(fault.sentence for fault in faults), spent=self.lost)

    def _may_go_on(self) -> bool:
        return self.affordable(self.lost + (self.empty.cost if self.empty else Cost()))

    def _share(self, left: float, *, is_first: bool, is_last: bool) -> float:
        """How many of the seconds that are left a target gets."""
        whole_attempt = min(left, self.patience.attempt) if is_first else 0.0
        return left if is_last else max(left / 2, whole_attempt)

    async def _insist(self, target: Target, until: float, attempts: int) -> ModelReply | Fault:
        """Attempts with growing pauses, until one succeeds, its fault will not pass, or the patience ends."""
        clock = asyncio.get_running_loop().time
        number = 0
        while True:
            number += 1
            outcome = await self.attempt(target, min(self.patience.attempt, until - clock()))
            if isinstance(outcome, ModelReply):
                if self.empty or not _is_empty(outcome):
                    return _together(outcome, self.empty)
                self.empty, outcome = outcome, _EMPTY
            self.lost += outcome.cost
            pause = self._pause(number, outcome)
            is_last = number >= attempts or pause is None or clock() + pause >= until
            if is_last or pause is None or not self._may_go_on():
                return replace(outcome, sentence=f"{outcome.sentence} (attempts: {number})")
            await asyncio.sleep(pause)

    def _pause(self, attempt: int, fault: Fault) -> float | None:
        """Seconds until the next attempt; None where none makes sense, or the provider asks for more than we wait."""
        patience = self.patience
        if fault.kind is not FaultKind.PASSING or (fault.retry_after or 0.0) > patience.longest_pause:
            return None
        grown = min(patience.pause * 2.0 ** (attempt - 1), patience.longest_pause) * self.jitter()
        return max(fault.retry_after or 0.0, grown)

    def _told(self, reply: ModelReply, asked: Target) -> ModelReply:
        """The answer with what it cost altogether, and with the model it stands in for."""
        stands_in = reply.model != asked.name
        return replace(reply, cost=reply.cost + self.lost, instead_of=asked.name if stands_in else None)


def _refusal(fault: Fault, lost: Cost) -> ModelRefused:
    is_too_long = fault.kind is FaultKind.TOO_LONG
    return (ContextTooLong if is_too_long else ModelRefused)(fault.sentence, spent=lost)


def _is_empty(reply: ModelReply) -> bool:
    return not reply.message.text.strip() and not reply.message.tool_calls


def _together(reply: ModelReply, earlier: ModelReply | None) -> ModelReply:
    if earlier is None:
        return reply
    return replace(reply, usage=reply.usage + earlier.usage, cost=reply.cost + earlier.cost)
