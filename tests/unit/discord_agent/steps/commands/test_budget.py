from decimal import Decimal

import pytest

from discord_agent.domain.budget import Payer, Slice
from discord_agent.domain.money import Cost, Usd
from discord_agent.domain.policy import RUN_LIMIT, GuildSettings, Limits
from tests.support.commands import ADMIN, PERSON, fields, use
from tests.support.fakes.world import ADA, EXECUTION, GUILD, World


def _spent(world: World, dollars: str) -> None:
    payer = Payer(EXECUTION, ADA, GUILD)
    amount = Usd(Decimal(dollars))
    granted = Slice("1", payer, "turn", amount, world.budgets.accounts_of(payer))
    world.budgets.reserve(granted, at_least=amount)
    world.budgets.settle(granted, Cost(amount))


def test_the_budget_shows_the_run_the_person_and_the_server() -> None:
    world = World()
    world.working()
    world.sessions.put_settings(GUILD, GuildSettings(limits=Limits(guild_day=Usd(Decimal(20)))))
    _spent(world, "1.25")
    shown = fields(use(world, "budget show", by=ADMIN))
    assert shown["This run"] == "$1.25 spent\n$3.75 left of $5.00"
    assert shown["This server, today"] == "$1.25 spent\n$18.75 left of $20.00"
    assert shown["You, this month"] == "$1.25 spent\nno limit"
    assert fields(use(world, "budget show", by=PERSON))["You, today"] == "$0.00 spent\nno limit"


def test_without_a_run_the_budget_is_the_persons_and_the_servers() -> None:
    assert "This run" not in fields(use(World(), "budget show"))


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({"period": "guild_month", "dollars": "150.5"}, Limits(RUN_LIMIT, guild_month=Usd(Decimal("150.5")))),
        ({"period": "run"}, Limits(run=None)),
        ({"period": "user_day", "dollars": "0"}, Limits(RUN_LIMIT, user_day=Usd())),
    ],
)
def test_an_administrator_sets_and_lifts_limits(options: dict[str, str], limits: Limits) -> None:
    world = World()
    told = use(world, "budget limit", options, by=ADMIN)
    assert told.content.startswith("💰 The limit for ")
    assert world.sessions.settings(GUILD).limits == limits


def test_anybody_else_sets_no_limit() -> None:
    world = World()
    use(world, "budget limit", period="run", dollars="1000")
    assert world.sessions.settings(GUILD) == GuildSettings()
