"""Accounts of money in memory, under the conditions of the real tables."""

import threading
from collections.abc import Iterable
from copy import replace
from dataclasses import dataclass, field

from discord_agent.domain import budget
from discord_agent.domain.budget import Account, Balance, Payer, Slice
from discord_agent.domain.errors import Conflict, OverBudget
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.money import Cost, Usd
from discord_agent.ports import Clock
from tests.support.fakes.effects import Effects
from tests.support.fakes.state import FakeSessions


@dataclass
class FakeBudgets:
    """Balances by the key of their account; one lock stands for a transaction."""

    effects: Effects
    sessions: FakeSessions
    clock: Clock
    charged: dict[str, Usd] = field(default_factory=dict)
    committed: dict[str, Usd] = field(default_factory=dict)
    slices: dict[str, Slice] = field(default_factory=dict)
    settled: dict[str, Cost] = field(default_factory=dict)
    grants: dict[str, Usd] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, wanted: Slice, *, at_least: Usd) -> Slice:
        with self.effects("budgets.reserve"), self.lock:
            if wanted.id in self.settled:
                raise Conflict(f"the slice {wanted.id} was settled")
            if wanted.id in self.slices:
                return self.slices[wanted.id]
            balances = [self._balance(account) for account in wanted.accounts]
            full = next((one for one in balances if one.room is not None and one.room < at_least), None)
            if full is not None:
                raise OverBudget(budget.refusal(full, at_least), period=full.account.period, needed=at_least)
            fits = all(one.room is None or one.room >= wanted.amount for one in balances)
            granted = replace(wanted, amount=wanted.amount if fits and wanted.amount > at_least else at_least)
            self.slices[wanted.id] = granted
            self._commit(granted.accounts, granted.amount)
            return granted

    def settle(self, granted: Slice, cost: Cost) -> None:
        with self.effects("budgets.settle"), self.lock:
            if granted.id not in self.slices or granted.id in self.settled:
                return
            self.settled[granted.id] = cost
            self._commit(granted.accounts, cost.charged - granted.amount)
            for account in granted.accounts:
                self.charged[account.key] = self.charged.get(account.key, Usd()) + cost.charged

    def open_slices(self, execution: ExecutionId, *, prefix: str = "") -> tuple[Slice, ...]:
        with self.effects("budgets.open_slices"), self.lock:
            slices = sorted(self.slices.values(), key=lambda one: one.id)
            mine = (one for one in slices if one.payer.execution_id == execution and one.id.startswith(prefix))
            return tuple(one for one in mine if one.id not in self.settled)

    def spent(self, execution: ExecutionId) -> Cost:
        with self.effects("budgets.spent"), self.lock:
            mine = (one.id for one in self.slices.values() if one.payer.execution_id == execution)
            return sum((self.settled[name] for name in mine if name in self.settled), Cost())

    def extend(self, accounts: Iterable[Account], amount: Usd, *, grant: str) -> None:
        with self.effects("budgets.extend"), self.lock:
            if grant not in self.grants:
                self.grants[grant] = amount
                self._commit(accounts, Usd() - amount)

    def balances(self, accounts: Iterable[Account]) -> tuple[Balance, ...]:
        with self.effects("budgets.balances"), self.lock:
            return tuple(map(self._balance, accounts))

    def accounts_of(self, payer: Payer) -> tuple[Account, ...]:
        limits = self.sessions.settings(payer.guild_id).limits
        return budget.accounts_of(payer, limits, self.clock.now())

    def _balance(self, account: Account) -> Balance:
        key = account.key
        return Balance(account, self.charged.get(key, Usd()), self.committed.get(key, Usd()))

    def _commit(self, accounts: Iterable[Account], amount: Usd) -> None:
        for account in accounts:
            self.committed[account.key] = self.committed.get(account.key, Usd()) + amount
