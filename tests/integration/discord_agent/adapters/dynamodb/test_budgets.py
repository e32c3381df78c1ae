"""Accounts of money, in DynamoDB and in the fake alike."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discord_agent.adapters.dynamodb.budgets import DynamoBudgets
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.budget import Account, Payer, Period, Slice
from discord_agent.domain.errors import Conflict, OverBudget
from discord_agent.domain.ids import ExecutionId, GuildId, ThreadId, retry_of
from discord_agent.domain.money import Cost, Usd
from discord_agent.domain.policy import GuildSettings, Limits
from discord_agent.holdings import TABLES
from discord_agent.ports import Budgets, Sessions
from tests.support.clock import ManualClock
from tests.support.fakes.effects import Effects
from tests.support.fakes.money import FakeBudgets
from tests.support.fakes.state import FakeLeases, FakeSessions
from tests.support.fakes.world import ADA, BOB

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Stage = tuple[Budgets, Sessions]
type NewGuild = Callable[[], GuildId]


@pytest.fixture(params=["dynamodb", "fake"])
def stage(request: pytest.FixtureRequest, store: Store, clock: ManualClock) -> Stage:
    table = TABLES["sessions"].name
    if request.param == "dynamodb":
        sessions = DynamoSessions(store, table, clock)
        return DynamoBudgets(store, table, sessions, clock), sessions
    effects = Effects()
    fake_sessions = FakeSessions(effects, FakeLeases(effects, clock))
    return FakeBudgets(effects, fake_sessions, clock), fake_sessions


@pytest.fixture
def guild(thread: ThreadId) -> GuildId:
    """A guild nobody used: tests share the tables, not the items."""
    return GuildId(thread)


def usd(amount: str | int) -> Usd:
    return Usd(Decimal(amount))


def payer(guild: GuildId, number: int = 1) -> Payer:
    return Payer(ExecutionId(f"m-{guild}{number:03}"), ADA, guild)


def slice_of(budgets: Budgets, who: Payer, amount: Usd, name: str = "1") -> Slice:
    return Slice(f"{who.execution_id}/turn/{name}", who, "turn", amount, budgets.accounts_of(who))


def balance(budgets: Budgets, who: Payer, period: Period) -> tuple[Usd, Usd]:
    """Spent and committed."""
    account = next(account for account in budgets.accounts_of(who) if account.period is period)
    [found] = budgets.balances([account])
    return found.spent, found.committed


def limited(sessions: Sessions, guild: GuildId, **limits: Usd | None) -> None:
    sessions.put_settings(guild, GuildSettings(limits=Limits(**limits)))


@pytest.mark.parametrize("period", ["guild_day", "guild_month", "user_day", "user_month"])
def test_of_fifty_reservations_at_once_only_those_that_fit_are_granted(
    stage: Stage, guild: GuildId, period: str
) -> None:
    budgets, sessions = stage
    limited(sessions, guild, **{period: usd(7)})
    together = Barrier(50)

    def contend(number: int) -> str:
        wanted = slice_of(budgets, payer(guild, number), usd("0.30"))
        together.wait(timeout=30)
        try:
            budgets.reserve(wanted, at_least=usd("0.30"))
        except OverBudget as refused:
            return refused.period
        return "granted"

    with ThreadPoolExecutor(50) as pool:
        said = Counter(pool.map(contend, range(50)))
    assert said == {"granted": 23, period: 27}
    assert balance(budgets, payer(guild), Period(period)) == (usd(0), usd("6.90"))


def test_runs_that_reserve_and_settle_at_once_never_have_more_out_than_the_limit(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, guild_month=usd(3))
    together = Barrier(50)

    def work(number: int) -> Usd:
        who, spent = payer(guild, number), usd(0)
        together.wait(timeout=30)
        for turn in range(3):
            try:
                granted = budgets.reserve(slice_of(budgets, who, usd("0.60"), str(turn)), at_least=usd("0.20"))
            except OverBudget:
                continue
            budgets.settle(granted, Cost(usd("0.05")))
            spent += usd("0.05")
            assert balance(budgets, who, Period.GUILD_MONTH)[1] <= usd(3)
        return spent

    with ThreadPoolExecutor(50) as pool:
        spent = sum(pool.map(work, range(50)), Usd())
    assert usd(0) < spent <= usd(3)
    assert balance(budgets, payer(guild), Period.GUILD_MONTH) == (spent, spent)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40), st.integers(0, 40)), max_size=8))
def test_whatever_is_reserved_and_spent_within_it_stays_within_the_limit(
    dynamodb: "DynamoDBClient", new_thread: Callable[[], ThreadId], moves: list[tuple[int, int, int]]
) -> None:
    clock, table, limit = ManualClock(), TABLES["sessions"].name, usd("1")
    sessions = DynamoSessions(Store(dynamodb), table, clock)
    effects = Effects()
    fake_sessions = FakeSessions(effects, FakeLeases(effects, clock))
    guild = GuildId(new_thread())
    both: list[Budgets] = [
        DynamoBudgets(Store(dynamodb), table, sessions, clock),
        FakeBudgets(effects, fake_sessions, clock),
    ]
    for port in (sessions, fake_sessions):
        limited(port, guild, run=None, user_day=limit)
    said: list[list[object]] = []
    for budgets in both:
        answers: list[object] = []
        for number, (wanted, least, spent) in enumerate(moves):
            who = payer(guild, number)
            asked = slice_of(budgets, who, usd(wanted) * 1)
            asked = replace(asked, amount=Usd(Decimal(wanted) / 100))
            try:
                granted = budgets.reserve(asked, at_least=Usd(Decimal(least) / 100))
            except OverBudget as refused:
                answers.append((str(refused), refused.period, refused.needed))
                continue
            if number % 2:
                budgets.settle(granted, Cost(min(granted.amount, Usd(Decimal(spent) / 100))))
            answers.append((granted.amount, balance(budgets, who, Period.USER_DAY)))
            assert balance(budgets, who, Period.USER_DAY)[1] <= limit
        said.append(answers)
    assert said[0] == said[1]


def test_a_slice_gets_what_it_needs_where_what_it_wants_is_too_much(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=usd(1))
    who = payer(guild)
    first = budgets.reserve(slice_of(budgets, who, usd("0.60")), at_least=usd("0.20"))
    second = budgets.reserve(slice_of(budgets, who, usd("0.60"), "2"), at_least=usd("0.20"))
    assert (first.amount, second.amount) == (usd("0.60"), usd("0.20"))
    with pytest.raises(OverBudget, match=r"The limit for this run is \$1.00; \$0.20 of it is left") as refused:
        budgets.reserve(slice_of(budgets, who, usd("0.60"), "3"), at_least=usd("0.21"))
    assert (refused.value.period, refused.value.needed) == (Period.RUN, usd("0.21"))
    assert balance(budgets, who, Period.GUILD_DAY) == (usd(0), usd("0.80"))


def test_a_reservation_that_one_account_refuses_takes_nothing_from_the_others(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=None, user_day=usd(5), guild_month=usd(1))
    who = payer(guild)
    with pytest.raises(OverBudget):
        budgets.reserve(slice_of(budgets, who, usd(2)), at_least=usd(2))
    assert all(found.committed == usd(0) for found in budgets.balances(budgets.accounts_of(who)))
    assert budgets.open_slices(who.execution_id) == ()


def test_a_slice_that_is_reserved_again_is_the_one_that_was_granted(stage: Stage, guild: GuildId) -> None:
    budgets, _ = stage
    who = payer(guild)
    first = budgets.reserve(slice_of(budgets, who, usd(1)), at_least=usd(1))
    again = budgets.reserve(slice_of(budgets, who, usd(3)), at_least=usd(2))
    assert again == first
    assert balance(budgets, who, Period.RUN) == (usd(0), usd(1))
    budgets.settle(first, Cost())
    with pytest.raises(Conflict):
        budgets.reserve(slice_of(budgets, who, usd(1)), at_least=usd(1))


def test_a_slice_is_settled_once_with_what_was_charged_first(stage: Stage, guild: GuildId) -> None:
    budgets, _ = stage
    who = payer(guild)
    granted = budgets.reserve(slice_of(budgets, who, usd(1)), at_least=usd(1))
    budgets.settle(granted, Cost(usd("0.25"), estimated=usd("0.05")))
    budgets.settle(granted, Cost(usd(9)))
    for period in Period:
        assert balance(budgets, who, period) == (usd("0.30"), usd("0.30"))
    assert budgets.open_slices(who.execution_id) == ()
    assert budgets.spent(who.execution_id) == Cost(usd("0.25"), estimated=usd("0.05"))


def test_a_run_costs_what_its_settled_slices_cost_together(stage: Stage, guild: GuildId) -> None:
    budgets, _ = stage
    who = payer(guild)
    costs = [Cost(usd("0.25"), output=usd("0.20")), Cost(usd("0.10"), partial=True, estimated=usd("0.01"))]
    assert budgets.spent(who.execution_id) == Cost()
    for number, cost in enumerate(costs):
        budgets.settle(budgets.reserve(slice_of(budgets, who, usd(1), str(number)), at_least=usd(1)), cost)
    budgets.reserve(slice_of(budgets, who, usd(1), "open"), at_least=usd(1))
    assert budgets.spent(who.execution_id) == sum(costs, Cost())
    assert budgets.spent(retry_of(who.execution_id)) == Cost()


def test_what_a_dead_step_had_set_aside_stays_set_aside_until_it_is_settled(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=usd(1))
    who = payer(guild)
    granted = budgets.reserve(slice_of(budgets, who, usd("0.90")), at_least=usd("0.90"))
    with pytest.raises(OverBudget):
        budgets.reserve(slice_of(budgets, who, usd("0.20"), "2"), at_least=usd("0.20"))
    assert budgets.open_slices(who.execution_id) == (granted,)
    budgets.settle(granted, Cost(estimated=usd("0.40")))
    assert budgets.reserve(slice_of(budgets, who, usd("0.20"), "2"), at_least=usd("0.20")).amount == usd("0.20")


def test_open_slices_are_those_of_one_try_although_all_tries_are_one_run(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=usd(1))
    first = payer(guild)
    second = replace(first, execution_id=retry_of(first.execution_id), user_id=BOB)
    granted = budgets.reserve(slice_of(budgets, first, usd("0.80")), at_least=usd("0.80"))
    with pytest.raises(OverBudget) as refused:
        budgets.reserve(slice_of(budgets, second, usd("0.30")), at_least=usd("0.30"))
    assert refused.value.period == Period.RUN
    assert budgets.open_slices(first.execution_id) == (granted,)
    assert budgets.open_slices(second.execution_id) == ()


def test_a_call_that_took_more_than_was_set_aside_is_charged_whole(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=usd(1))
    who = payer(guild)
    budgets.settle(budgets.reserve(slice_of(budgets, who, usd("0.90")), at_least=usd("0.90")), Cost(usd("1.20")))
    assert balance(budgets, who, Period.RUN) == (usd("1.20"), usd("1.20"))
    with pytest.raises(OverBudget, match=r"\$0.00 of it is left"):
        budgets.reserve(slice_of(budgets, who, usd("0.01"), "2"), at_least=usd("0.01"))


@pytest.mark.parametrize(("limit", "pause"), [("user_day", timedelta(hours=12)), ("guild_day", timedelta(hours=12))])
def test_a_new_day_has_a_fresh_budget_and_the_old_one_keeps_its_slices(
    stage: Stage, clock: ManualClock, guild: GuildId, limit: str, pause: timedelta
) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=None, **{limit: usd(1), "guild_month": usd("1.5")})
    who = payer(guild)
    yesterday = budgets.accounts_of(who)
    granted = budgets.reserve(slice_of(budgets, who, usd(1)), at_least=usd(1))
    with pytest.raises(OverBudget):
        budgets.reserve(slice_of(budgets, who, usd("0.40"), "2"), at_least=usd("0.40"))
    clock.pass_by(pause)
    budgets.reserve(slice_of(budgets, who, usd("0.40"), "2"), at_least=usd("0.40"))
    budgets.settle(granted, Cost(usd("0.70")))
    kept = {found.account.period: found.spent for found in budgets.balances(yesterday)}
    assert kept[Period(limit)] == usd("0.70")
    assert balance(budgets, who, Period(limit)) == (usd(0), usd("0.40"))
    assert balance(budgets, who, Period.GUILD_MONTH) == (usd("0.70"), usd("1.10"))


def test_a_new_month_has_a_fresh_budget(stage: Stage, clock: ManualClock, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=None, guild_month=usd(1))
    who = payer(guild)
    budgets.reserve(slice_of(budgets, who, usd(1)), at_least=usd(1))
    clock.pass_by(timedelta(days=8))
    with pytest.raises(OverBudget):
        budgets.reserve(slice_of(budgets, who, usd(1), "2"), at_least=usd(1))
    clock.pass_by(timedelta(hours=12))
    assert budgets.reserve(slice_of(budgets, who, usd(1), "2"), at_least=usd(1)).amount == usd(1)


def test_an_extension_counts_once_and_makes_room(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=usd(1))
    who = payer(guild)
    budgets.settle(budgets.reserve(slice_of(budgets, who, usd(1)), at_least=usd(1)), Cost(usd(1)))
    run = [account for account in budgets.accounts_of(who) if account.period is Period.RUN]
    for _ in range(2):
        budgets.extend(run, usd(2), grant=f"{who.execution_id}/one")
    assert balance(budgets, who, Period.RUN) == (usd(1), usd(-1))
    assert budgets.reserve(slice_of(budgets, who, usd(2), "2"), at_least=usd(2)).amount == usd(2)
    with pytest.raises(OverBudget):
        budgets.reserve(slice_of(budgets, who, usd("0.01"), "3"), at_least=usd("0.01"))


def test_more_than_a_whole_limit_can_be_reserved_only_on_top_of_an_extension(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    limited(sessions, guild, run=usd(1))
    who = payer(guild)
    wanted = slice_of(budgets, who, usd(2))
    with pytest.raises(OverBudget):
        budgets.reserve(wanted, at_least=usd(2))
    budgets.extend(budgets.accounts_of(who)[:1], usd(1), grant=f"{who.execution_id}/one")
    assert budgets.reserve(wanted, at_least=usd(2)).amount == usd(2)


def test_a_limit_that_is_lowered_counts_at_once(stage: Stage, guild: GuildId) -> None:
    budgets, sessions = stage
    who = payer(guild)
    budgets.reserve(slice_of(budgets, who, usd(3)), at_least=usd(3))
    limited(sessions, guild, guild_day=usd(2))
    with pytest.raises(OverBudget):
        budgets.reserve(slice_of(budgets, who, usd("0.01"), "2"), at_least=usd("0.01"))


def test_accounts_and_slices_expire_after_their_period(store: Store, clock: ManualClock, guild: GuildId) -> None:
    table = TABLES["sessions"].name
    budgets = DynamoBudgets(store, table, DynamoSessions(store, table, clock), clock)
    who = payer(guild)
    granted = budgets.reserve(slice_of(budgets, who, usd(1)), at_least=usd(1))

    def lives(key: str, record: str) -> timedelta:
        item = store.get(table, {"thread_id": key, "record": record}) or {}
        return timedelta(seconds=int(item["ttl"]) - clock.now().timestamp())

    assert lives(f"budget#guild#{guild}", "2026-11-22") == timedelta(days=3)
    assert lives(f"budget#user#{guild}#{ADA}", "2026-11") == timedelta(days=62)
    assert lives(f"budget#run#{who.execution_id}", "run") == timedelta(days=90)
    assert lives(f"budget#run#{who.execution_id}", f"slice#{granted.id}") == timedelta(days=30)


def test_a_slice_that_was_forgotten_settles_nothing(stage: Stage, guild: GuildId) -> None:
    budgets, _ = stage
    who = payer(guild)
    budgets.settle(slice_of(budgets, who, usd(1)), Cost(usd(1)))
    assert budgets.balances([Account(Period.RUN, budgets.accounts_of(who)[0].key)])[0].spent == usd(0)
