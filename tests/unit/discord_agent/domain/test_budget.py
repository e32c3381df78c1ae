from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from discord_agent.domain import budget
from discord_agent.domain.budget import Account, Balance, Payer, Period
from discord_agent.domain.ids import ExecutionId, GuildId, UserId
from discord_agent.domain.money import Usd
from discord_agent.domain.policy import Limits

PAYER = Payer(ExecutionId("m-1"), UserId("7"), GuildId("9"))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def usd(amount: str) -> Usd:
    return Usd(Decimal(amount))


def test_money_comes_from_the_run_the_person_and_the_guild_by_day_and_month() -> None:
    limits = Limits(usd("1"), usd("2"), usd("3"), usd("4"), usd("5"))
    assert budget.accounts_of(PAYER, limits, NOON) == (
        Account(Period.RUN, "run#m-1/run", usd("1")),
        Account(Period.USER_DAY, "user#9#7/2026-11-22", usd("2")),
        Account(Period.USER_MONTH, "user#9#7/2026-11", usd("3")),
        Account(Period.GUILD_DAY, "guild#9/2026-11-22", usd("4")),
        Account(Period.GUILD_MONTH, "guild#9/2026-11", usd("5")),
    )


def test_days_end_at_midnight_in_utc_wherever_the_clock_stands() -> None:
    just_before = datetime(2026, 12, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    keys = [account.key for account in budget.accounts_of(PAYER, Limits(), just_before)]
    assert keys[3:] == ["guild#9/2026-11-30", "guild#9/2026-11"]


def test_all_tries_of_a_request_are_one_run() -> None:
    again = Payer(ExecutionId("m-1-r12"), UserId("8"), GuildId("9"))
    assert budget.accounts_of(again, Limits(), NOON)[0] == budget.accounts_of(PAYER, Limits(), NOON)[0]


def test_direct_messages_have_accounts_of_their_own() -> None:
    alone = Payer(ExecutionId("m-1"), UserId("7"))
    assert [account.key for account in budget.accounts_of(alone, Limits(), NOON)][1::2] == [
        "user#direct#7/2026-11-22",
        "guild#direct/2026-11-22",
    ]


def test_a_run_may_cost_five_dollars_where_nothing_else_is_said() -> None:
    limits = [account.limit for account in budget.accounts_of(PAYER, Limits(), NOON)]
    assert limits == [usd("5"), None, None, None, None]


@pytest.mark.parametrize(
    ("run", "needed", "amount"), [("2", "0.1", "2"), ("2", "3", "3"), (None, "0.1", "5"), ("0", "0", "5")]
)
def test_an_extension_is_the_run_limit_again_and_enough_for_the_next_call(
    run: str | None, needed: str, amount: str
) -> None:
    limits = Limits(run=usd(run) if run is not None else None)
    assert budget.extension(budget.accounts_of(PAYER, limits, NOON), usd(needed)) == usd(amount)


def test_only_limited_accounts_can_be_short() -> None:
    full = Balance(Account(Period.RUN, "a/run", usd("5")), usd("4"), usd("4.5"))
    roomy = Balance(Account(Period.USER_DAY, "b/1", usd("5")), usd("1"), usd("-1"))
    free = Balance(Account(Period.GUILD_DAY, "c/1"), usd("99"), usd("99"))
    assert [balance.room for balance in (full, roomy, free)] == [usd("0.5"), usd("6"), None]
    assert budget.short_of((full, roomy, free), usd("1")) == (full.account,)


def test_a_refusal_names_the_limit_what_is_left_and_what_is_needed() -> None:
    balance = Balance(Account(Period.USER_DAY, "b/1", usd("5")), usd("4"), usd("4.998"))
    assert budget.refusal(balance, usd("0.2")) == (
        "The limit for this person today is $5.00; $0.0020 of it is left, and the next step may take up to $0.20."
    )
