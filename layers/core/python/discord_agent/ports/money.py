"""Accounts of money."""

from collections.abc import Iterable
from typing import Protocol

from discord_agent.domain.budget import Account, Balance, Payer, Slice
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.money import Cost, Usd


class Budgets(Protocol):
    """Counters that cannot be overspent, whoever else reserves at the same time."""

    def reserve(self, wanted: Slice, *, at_least: Usd) -> Slice:
        """Set ``wanted.amount`` aside on all its accounts in one transaction, or ``at_least`` if that is too much.

        Returns the slice with the amount granted; one that is known and open is returned as it was granted.
        OverBudget names the account that has no room for ``at_least``; Conflict: a slice of this id was settled.
        """

    def settle(self, granted: Slice, cost: Cost) -> None:
        """Replace what was set aside by what was charged, in one write; the same slice again changes nothing."""

    def open_slices(self, execution: ExecutionId, *, prefix: str = "") -> tuple[Slice, ...]:
        """The slices of a run that were never settled; with ``prefix`` only those whose ids begin so, and no others are read."""

    def spent(self, execution: ExecutionId) -> Cost:
        """What the settled slices of a run cost together, those of attempts that died or failed among them."""

    def extend(self, accounts: Iterable[Account], amount: Usd, *, grant: str) -> None:
        """Allow ``amount`` more on each account, once per ``grant``."""

    def balances(self, accounts: Iterable[Account]) -> tuple[Balance, ...]:
        """How accounts stand, by a consistent read."""

    def accounts_of(self, payer: Payer) -> tuple[Account, ...]:
        """The accounts that a payer's money comes from today, with their limits from the settings."""
