"""Accounts of money that cannot be overspent."""

from collections.abc import Iterable, Iterator
from copy import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from msgspec import Struct

from discord_agent.adapters.codec import from_json, to_item
from discord_agent.adapters.dynamodb.store import ConditionFailed, Item, PrimaryKey, Store, Write, put, update
from discord_agent.domain import budget
from discord_agent.domain.budget import Account, Balance, Payer, Period, Slice
from discord_agent.domain.errors import Conflict, OverBudget
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.money import Cost, Usd
from discord_agent.ports import Clock, Sessions

SLICE_KEPT: Final = timedelta(days=30)
"""As long as the row of its run."""

_PERIODS_KEPT: Final = {
    Period.RUN: timedelta(days=90),
    Period.USER_DAY: timedelta(days=3),
    Period.GUILD_DAY: timedelta(days=3),
    Period.USER_MONTH: timedelta(days=62),
    Period.GUILD_MONTH: timedelta(days=62),
}
"""After the last change, so that every account outlives its period and the slices that were reserved in it."""

_SLICE: Final = "slice#"


class DynamoBudgets(Struct, frozen=True):
    """Items ``budget#<scope>`` / ``<period>`` of the sessions table; a slice lies with the account of its run.

    A condition cannot calculate, so each account keeps one number that can be compared with a constant::

        committed = spent + set aside - granted on top of the limit        reserve only if committed <= limit - amount

    A reservation, a settlement and a grant each are one transaction over all accounts and an item of their own, whose
    existence (or mark) makes a repetition change nothing.
    """

    store: Store
    table: str
    sessions: Sessions
    clock: Clock

    def reserve(self, wanted: Slice, *, at_least: Usd) -> Slice:
        """Set ``wanted.amount`` aside on all its accounts, or ``at_least``; see the port."""
        for amount in dict.fromkeys((max(wanted.amount, at_least), at_least)):
            try:
                return self._reserved(replace(wanted, amount=amount))
            except _NoRoom as error:
                full = error.account
        balance = self.balances((full,))[0]
        raise OverBudget(budget.refusal(balance, at_least), period=full.period, needed=at_least)

    def settle(self, granted: Slice, cost: Cost) -> None:
        """Replace what was set aside by what was charged; a slice that is settled, or forgotten, stays so."""
        is_open = Attr("amount").exists() & Attr("cost").not_exists()
        charged = cost.charged.amount
        changes = {"committed": charged - granted.amount.amount, "spent": charged}
        settled = update(self.table, _slice_key(granted), values={"cost": to_item(cost)}, condition=is_open)
        try:
            self.store.transact(settled, *(self._add(account, changes) for account in granted.accounts))
        except ConditionFailed:
            return

    def open_slices(self, execution: ExecutionId, *, prefix: str = "") -> tuple[Slice, ...]:
        """The slices of a run that were never settled; with ``prefix`` only those whose ids begin so."""
        return tuple(from_json(Slice, item) for item in self._slices(execution, prefix) if "cost" not in item)

    def spent(self, execution: ExecutionId) -> Cost:
        """What the settled slices of a run cost together."""
        settled = (from_json(Cost, item["cost"]) for item in self._slices(execution) if "cost" in item)
        return sum(settled, Cost())

    def extend(self, accounts: Iterable[Account], amount: Usd, *, grant: str) -> None:
        """Allow ``amount`` more on each account, once per ``grant``."""
        key = {"thread_id": f"budget#grant#{grant}", "record": "grant"}
        first = put(self.table, {**key, "amount": amount.amount, "ttl": self._until(SLICE_KEPT)}, _is_new())
        changes = {"committed": -amount.amount, "granted": amount.amount}
        try:
            self.store.transact(first, *(self._add(account, changes) for account in accounts))
        except ConditionFailed:
            return

    def balances(self, accounts: Iterable[Account]) -> tuple[Balance, ...]:
        """How accounts stand, by consistent reads."""
        return tuple(_balance(account, self.store.get(self.table, _key(account)) or {}) for account in accounts)

    def accounts_of(self, payer: Payer) -> tuple[Account, ...]:
        """The accounts that a payer's money comes from today, with their limits from the settings."""
        limits = self.sessions.settings(payer.guild_id).limits
        return budget.accounts_of(payer, limits, self.clock.now())

    def _reserved(self, wanted: Slice) -> Slice:
        content: dict[str, Any] = to_item(wanted)
        item = {**content, **_slice_key(wanted), "ttl": self._until(SLICE_KEPT)}
        amount = wanted.amount.amount
        reservations = (
            self._add(account, {"committed": amount}, _has_room(account, amount)) for account in wanted.accounts
        )
        try:
            self.store.transact(put(self.table, item, _is_new()), *reservations)
        except ConditionFailed as error:
            if 0 in error.writes:
                return self._known(wanted)
            raise _NoRoom(wanted.accounts[min(error.writes) - 1]) from error
        return wanted

    def _known(self, wanted: Slice) -> Slice:
        item = self.store.get(self.table, _slice_key(wanted)) or {}
        if "cost" in item:
            raise Conflict(f"the slice {wanted.id} was settled")
        return from_json(Slice, item)

    def _slices(self, execution: ExecutionId, prefix: str = "") -> Iterator[Item]:
        of_the_run = Key("thread_id").eq(f"budget#{budget.scope_of_run(execution)}")
        of_this_try = Key("record").begins_with(f"{_SLICE}{prefix or f'{execution}/'}")
        return self.store.query(self.table, of_the_run & of_this_try)

    def _add(self, account: Account, changes: dict[str, Decimal], condition: ConditionBase | None = None) -> Write:
        ttl = {"ttl": self._until(_PERIODS_KEPT[account.period])}
        return update(self.table, _key(account), values=ttl, add=changes, condition=condition)

    def _until(self, kept: timedelta) -> int:
        return int((self.clock.now() + kept).timestamp())


class _NoRoom(Exception):
    """An account's condition did not hold."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.key)
        self.account = account


def _has_room(account: Account, amount: Decimal) -> ConditionBase | None:
    if account.limit is None:
        return None
    left = account.limit.amount - amount
    has_room = Attr("committed").lte(left)
    return has_room | Attr("committed").not_exists() if left >= 0 else has_room


def _is_new() -> ConditionBase:
    return Attr("thread_id").not_exists()


def _key(account: Account) -> PrimaryKey:
    scope, _, period = account.key.rpartition("/")
    return {"thread_id": f"budget#{scope}", "record": period}


def _slice_key(wanted: Slice) -> PrimaryKey:
    return {
        "thread_id": f"budget#{budget.scope_of_run(wanted.payer.execution_id)}",
        "record": f"{_SLICE}{wanted.id}",
    }


def _balance(account: Account, item: Item) -> Balance:
    spent, committed = (Usd(Decimal(item.get(name, 0))) for name in ("spent", "committed"))
    return Balance(account, spent, committed)
