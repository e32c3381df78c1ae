"""Limits on money, and the slices that calls are paid from (behaviour: DESIGN, section 5)."""

from dataclasses import dataclass
from enum import StrEnum

from discord_agent.domain.ids import ExecutionId, GuildId, UserId
from discord_agent.domain.money import Usd


class Period(StrEnum):
    """What a limit counts."""

    RUN = "run"
    USER_DAY = "user_day"
    USER_MONTH = "user_month"
    GUILD_DAY = "guild_day"
    GUILD_MONTH = "guild_month"


@dataclass(frozen=True, slots=True)
class Account:
    """One counter of money: ``key`` names the run, or the guild (and user) with the day or month.

    ``limit`` None: counted, not limited.
    """

    period: Period
    key: str
    limit: Usd | None = None


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom money is spent: the run, the person who asked for it, and the guild (None: direct messages)."""

    execution_id: ExecutionId
    user_id: UserId
    guild_id: GuildId | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Money set aside before it is spent, on all accounts of a payer at once; ``id`` is unique per step attempt."""

    id: str
    payer: Payer
    purpose: str
    amount: Usd
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """How an account stands; ``committed`` is spent plus set aside minus what people granted on top of the limit."""

    account: Account
    spent: Usd = Usd()
    committed: Usd = Usd()
