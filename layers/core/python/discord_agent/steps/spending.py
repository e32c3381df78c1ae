"""Model calls that are paid for: money is set aside before a call and settled after it."""

from collections.abc import Callable, Iterable, Mapping
from copy import replace
from types import TracebackType
from typing import Final, Self

from msgspec import Struct

from discord_agent.domain import measures
from discord_agent.domain.budget import Payer, Slice, name_of
from discord_agent.domain.conversation import ModelReply, ModelRequest, Purpose
from discord_agent.domain.errors import Conflict, InvalidReply, ModelRefused, ModelUnavailable, OverBudget
from discord_agent.domain.estimate import cost_bound, usage_bound
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.money import NOTHING, Cost, Usage, Usd
from discord_agent.domain.run import Next, RunState, Waiting
from discord_agent.ports import Budgets, LanguageModel, Metrics, Models

_CALLS_PER_SLICE: Final = 3
"""Calls like the first one that a slice is meant to last for."""


def payer_of(run: RunState) -> Payer:
    """Who pays for a run."""
    return Payer(run.execution_id, run.author_id, run.guild_id)


def waits_for_money(run: RunState, error: OverBudget) -> RunState:
    """The run as it parks until somebody extends its budget."""
    return replace(
        run,
        waiting=Waiting.MONEY,
        needed=error.needed,
        asked_for_money=run.asked_for_money + 1,
        question=str(error),
        options=(),
        next=Next.CLARIFY,
    )


def charge_lost(budgets: Budgets, execution: ExecutionId) -> None:
    """Charge what steps that died had set aside, whole: nobody knows how much of it they spent."""
    for left_open in budgets.open_slices(execution):
        budgets.settle(left_open, Cost(estimated=left_open.amount))


def settle_open(budgets: Budgets, run: RunState) -> RunState:
    """The run with all that it cost, by steps that died or failed too; only calls without a price are in no account."""
    charge_lost(budgets, run.execution_id)
    cost = budgets.spent(run.execution_id)
    return replace(run, cost=replace(cost, partial=cost.partial or run.cost.partial))


class Spending(Struct, frozen=True):
    """Hands out purses, out of which model calls are paid."""

    model: LanguageModel
    models: Models
    budgets: Budgets
    metrics: Metrics

    def purse(self, payer: Payer, purpose: Purpose, key: str) -> "Purse":
        """A purse for one attempt of a step; ``key`` tells attempts apart, such as ``<turn>/<fence>``."""
        return Purse(self, payer, purpose, key)

    def estimate(self, request: ModelRequest) -> Usd | None:
        """What a call may cost at most, whichever model stands in; None when the model's own price is not known."""
        usage = usage_bound(request)
        if self.models.price(request.model, usage.input) is None:
            return None
        candidates = (request.model, *self.models.fallbacks(request.model))
        prices = (self.models.price(model, usage.input) for model in candidates)
        return cost_bound(usage, filter(None, prices))

    def lost(self, payer: Payer, purpose: Purpose, key_prefix: str) -> tuple[Slice, ...]:
        """What earlier attempts whose keys begin with ``key_prefix`` left open when they died."""
        return self.budgets.open_slices(payer.execution_id, prefix=_slice_id(payer, purpose, key_prefix))

    def settle_lost(self, lost: Iterable[Slice], paid: Mapping[str, Cost], in_flight: Cost) -> None:
        """Settle what earlier attempts left open by what was ``paid`` from each, and one call that may have been made."""
        for left_open in lost:
            self.budgets.settle(left_open, paid.get(left_open.id, Cost()) + in_flight)
            in_flight = Cost()


class Purse:
    """A model whose calls are paid for; a context manager that settles when it is left, but not when its process dies.

    ``cost`` and ``usage`` are those of all its calls so far; a call that was broken off counts as estimated.
    """

    def __init__(self, spending: Spending, payer: Payer, purpose: Purpose, key: str) -> None:
        self._spending = spending
        self._payer = payer
        self._id = _slice_id(payer, purpose, key)
        self._purpose = purpose
        self._number = 0
        self._slice: Slice | None = None
        self._spent = Cost()
        self.cost = Cost()
        self.usage = Usage()

    @property
    def slice_id(self) -> str:
        """The slice that its newest call was paid from; "" when none was needed."""
        return self._slice.id if self._slice is not None else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None or issubclass(kind, Exception):
            self.settle()

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        """Ask the model if there is money for it, whatever the call turns out to cost; OverBudget before it if not."""
        bound = self._spending.estimate(request)
        self._set_aside(request, bound)
        if self._slice is not None and bound is not None:
            request = replace(request, may_cost=self._slice.amount - self._spent.charged)
        try:
            reply = self._spending.model.complete(request, stop_requested=stop_requested, on_text=on_text)
        except (ModelUnavailable, ModelRefused, InvalidReply) as error:
            self._charge(error.spent)
            raise
        except Exception:
            # Broken off by a stop or by whoever looked on: the provider may charge for all of it.
            self._charge(Cost(estimated=bound or NOTHING, partial=bound is None))
            raise
        if reply.cost.partial and bound is not None:
            reply = replace(reply, cost=reply.cost + Cost(estimated=bound))
        self._charge(reply.cost)
        self.usage += reply.usage
        self._spending.metrics.record(measures.TOKENS, reply.usage.input + reply.usage.output)
        return reply

    def settle(self) -> None:
        """Replace what is set aside by what was spent; what was settled stays so."""
        if self._slice is not None:
            self._spending.budgets.settle(self._slice, self._spent)
        self._slice, self._spent = None, Cost()

    def _charge(self, cost: Cost) -> None:
        self._spent += cost
        self.cost += cost
        if cost.charged != NOTHING:
            self._spending.metrics.record(measures.COST, float(cost.charged.amount))

    def _set_aside(self, request: ModelRequest, bound: Usd | None) -> None:
        if bound is None:
            self._go_without_price(request)
        elif self._slice is None or self._slice.amount - self._spent.charged < bound:
            self.settle()
            self._slice = self._reserve(bound)

    def _go_without_price(self, request: ModelRequest) -> None:
        accounts = self._spending.budgets.accounts_of(self._payer)
        limited = next((account for account in accounts if account.limit is not None), None)
        if limited is not None:
            raise OverBudget(
                f"The price of {request.model} is unknown, so the limit for {name_of(limited.period)} cannot be kept. "
                "Give the model a price in the registry, or take the limits away with /budget limit; then press Extend.",
                period=limited.period,
            )

    def _reserve(self, bound: Usd) -> Slice:
        budgets = self._spending.budgets
        while True:
            accounts = budgets.accounts_of(self._payer)
            name = f"{self._id}/{self._number}"
            self._number += 1
            wanted = Slice(name, self._payer, self._purpose, bound * _CALLS_PER_SLICE, accounts)
            try:
                return budgets.reserve(wanted, at_least=bound)
            except Conflict:
                # An attempt that had the same key is over: its slice is not to be spent again.
                continue


def _slice_id(payer: Payer, purpose: Purpose, key: str) -> str:
    return f"{payer.execution_id}/{purpose}/{key}"
