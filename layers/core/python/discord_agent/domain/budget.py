"""Limits on money, and the slices that calls are paid from (behaviour: DESIGN, section 5)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain.ids import ExecutionId, GuildId, UserId, first_try_of
from discord_agent.domain.money import NOTHING, Usd
from discord_agent.domain.policy import DIRECT_MESSAGES, RUN_LIMIT, Limits


class Period(StrEnum):
    """What a limit counts."""

    RUN = "run"
    USER_DAY = "user_day"
    USER_MONTH = "user_month"
    GUILD_DAY = "guild_day"
    GUILD_MONTH = "guild_month"


class Account(Struct, frozen=True):
    """One counter of money: ``key`` is ``<run, user or guild>/<day, month or run>``, in UTC.

    ``limit`` None: counted, not limited.
    """

    period: Period
    key: str
    limit: Usd | None = None


class Payer(Struct, frozen=True):
    """For whom money is spent: the run, the person who asked for it, and the guild (None: direct messages)."""

    execution_id: ExecutionId
    user_id: UserId
    guild_id: GuildId | None = None


class Slice(Struct, frozen=True):
    """Money set aside before it is spent, on all accounts of a payer at once; ``id`` is unique per step attempt."""

    id: str
    payer: Payer
    purpose: str
    amount: Usd
    accounts: tuple[Account, ...]


class Balance(Struct, frozen=True):
    """How an account stands; ``committed`` is spent plus set aside minus what people granted on top of the limit."""

    account: Account
    spent: Usd = Usd()
    committed: Usd = Usd()

    @property
    def room(self) -> Usd | None:
        """What may still be set aside; None: without a limit."""
        limit = self.account.limit
        return None if limit is None else limit - self.committed


_NAMES: Final = {
    Period.RUN: "this run",
    Period.USER_DAY: "this person today",
    Period.USER_MONTH: "this person this month",
    Period.GUILD_DAY: "this server today",
    Period.GUILD_MONTH: "this server this month",
}


def name_of(period: Period) -> str:
    """Whose money it is, in words that follow "for"."""
    return _NAMES[period]


def scope_of_run(execution: ExecutionId) -> str:
    """The scope of a run's account: all tries of a request are one run."""
    return f"run#{first_try_of(execution)}"


def accounts_of(payer: Payer, limits: Limits, now: datetime) -> tuple[Account, ...]:
    """The accounts a payer's money comes from at ``now``."""
    guild = payer.guild_id or DIRECT_MESSAGES
    run, user = scope_of_run(payer.execution_id), f"user#{guild}#{payer.user_id}"
    day, month = f"{now.astimezone(UTC):%Y-%m-%d}", f"{now.astimezone(UTC):%Y-%m}"
    return (
        Account(Period.RUN, f"{run}/run", limits.run),
        Account(Period.USER_DAY, f"{user}/{day}", limits.user_day),
        Account(Period.USER_MONTH, f"{user}/{month}", limits.user_month),
        Account(Period.GUILD_DAY, f"guild#{guild}/{day}", limits.guild_day),
        Account(Period.GUILD_MONTH, f"guild#{guild}/{month}", limits.guild_month),
    )


def extension(accounts: Iterable[Account], needed: Usd) -> Usd:
    """How much more one press of Extend allows: the run's limit again, or what the next call needs if that is more."""
    limit = next((account.limit for account in accounts if account.period is Period.RUN), None)
    return max(limit if limit and limit > NOTHING else RUN_LIMIT, needed)


def short_of(balances: Iterable[Balance], amount: Usd) -> tuple[Account, ...]:
    """The accounts that have less room than ``amount``."""
    return tuple(balance.account for balance in balances if balance.room is not None and balance.room < amount)


def refusal(balance: Balance, needed: Usd) -> str:
    """Why there is no room for ``needed``, as a sentence for people."""
    limit = balance.account.limit or NOTHING
    room = max(limit - balance.committed, NOTHING)
    return (
        f"The limit for {name_of(balance.account.period)} is {limit.short}; {room.short} of it is left, "
        f"and the next step may take up to {needed.short}."
    )
