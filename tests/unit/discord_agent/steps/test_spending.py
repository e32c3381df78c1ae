from collections.abc import Callable
from copy import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.budget import Payer, Period
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import ModelRefused, ModelUnavailable, OverBudget, StateUnavailable, Stopped
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import UNKNOWN, Cost, Price, Usage, Usd
from discord_agent.domain.policy import GuildSettings, Limits
from discord_agent.domain.run import Next, Waiting
from discord_agent.steps.spending import Purse, payer_of, settle_open, waits_for_money
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER, says
from tests.support.fakes.world import ADA, EXECUTION, GUILD, World

WHO = Payer(EXECUTION, ADA, GUILD)
DOLLAR_OUT = Price(input=Decimal(0), cached_input=Decimal(0), output=Decimal(100))
"""So that a request for at most 1,000 tokens may cost ten cents."""
TEN_CENTS = Usd(Decimal("0.1"))
NO_LIMIT = Limits(run=None)


def _request(model: ModelName = LADDER[0]) -> ModelRequest:
    return ModelRequest(Purpose.RESPOND, model, (Message(Role.USER, "hi"),), max_output_tokens=1000)


def _world(limits: Limits = NO_LIMIT, *costs: str) -> World:
    """Every model may cost ten cents a call, and costs what is given call by call."""
    world = World()
    world.models.prices = dict.fromkeys(LADDER, DOLLAR_OUT)
    world.sessions.put_settings(GUILD, GuildSettings(limits=limits))
    replies = [replace(says("yes"), cost=Cost(Usd(Decimal(cost)))) for cost in costs or ("0.01",) * 50]
    world.plays(*replies, purpose=Purpose.RESPOND)
    return world


def _purse(world: World, key: str = "1") -> Purse:
    return world.spending.purse(WHO, Purpose.RESPOND, key)


def _committed(world: World, period: Period = Period.RUN) -> Usd:
    account = next(account for account in world.budgets.accounts_of(WHO) if account.period is period)
    return world.budgets.balances([account])[0].committed


def _usd(amount: str) -> Usd:
    return Usd(Decimal(amount))


def test_one_reservation_and_one_settlement_pay_for_a_few_calls() -> None:
    world = _world(NO_LIMIT, "0.01", "0.02")
    with _purse(world) as purse:
        purse.complete(_request())
        assert _committed(world) == TEN_CENTS * 3
        purse.complete(_request())
    assert (purse.cost, purse.usage) == (Cost(_usd("0.03")), Usage(input=200, output=20))
    assert _committed(world) == _usd("0.03")
    assert [name for name in world.effects.names if name.startswith("budgets.re") or name == "budgets.settle"] == [
        "budgets.reserve",
        "budgets.settle",
    ]


def test_a_purse_that_is_not_used_costs_nothing() -> None:
    world = _world()
    with _purse(world) as purse:
        pass
    assert purse.cost == Cost()
    assert not world.budgets.slices


def test_every_call_is_checked_against_what_is_left_of_the_slice_before_it_is_made() -> None:
    world = _world(Limits(run=_usd("0.30")), "0.10", "0.10", "0.05", "0.01")
    with _purse(world) as purse:
        for _ in range(3):
            purse.complete(_request())
        with pytest.raises(OverBudget):
            purse.complete(_request())
    assert len(world.model.requests) == 3
    assert _committed(world) == _usd("0.25")


def test_a_slice_that_is_used_up_is_settled_before_the_next_is_taken() -> None:
    world = _world(NO_LIMIT, "0.10", "0.10", "0.10", "0.10")
    with _purse(world) as purse:
        for _ in range(4):
            purse.complete(_request())
        assert len(world.budgets.settled) == 1
        assert _committed(world) == _usd("0.60")
    assert _committed(world) == purse.cost.charged == _usd("0.40")


def test_a_call_may_be_paid_from_the_last_cents_of_a_limit() -> None:
    world = _world(Limits(user_day=_usd("0.12")))
    with _purse(world) as purse:
        purse.complete(_request())
        purse.complete(_request())
    assert _committed(world, Period.USER_DAY) == _usd("0.02")


def test_what_may_cost_more_than_any_limit_leaves_is_not_asked_for() -> None:
    world = _world(Limits(guild_month=_usd("0.09")))
    with pytest.raises(OverBudget) as refused, _purse(world) as purse:
        purse.complete(_request())
    assert (refused.value.period, refused.value.needed) == (Period.GUILD_MONTH, TEN_CENTS)
    assert not world.model.requests
    assert _committed(world) == Usd()


def test_a_dearer_stand_in_is_paid_for_in_advance() -> None:
    world = _world()
    world.models.prices[LADDER[1]] = replace(DOLLAR_OUT, output=Decimal(300))
    world.models.standing_in = {LADDER[0]: (LADDER[1], ModelName("unpriced"))}
    with _purse(world) as purse:
        purse.complete(_request())
        assert _committed(world) == TEN_CENTS * 9


@pytest.mark.parametrize("limits", [Limits(run=_usd("5")), Limits(run=None, guild_day=_usd("100"))])
def test_a_model_of_unknown_price_is_not_asked_while_any_limit_is_to_be_kept(limits: Limits) -> None:
    world = _world(limits)
    with pytest.raises(OverBudget, match="price of unheard-of is unknown"), _purse(world) as purse:
        purse.complete(_request(ModelName("unheard-of")))
    assert not world.model.requests


def test_without_limits_a_model_of_unknown_price_is_asked_and_its_cost_shown_as_unknown() -> None:
    world = _world()
    world.plays(replace(says("yes"), cost=UNKNOWN), purpose=Purpose.RESPOND)
    with _purse(world) as purse:
        purse.complete(_request(ModelName("unheard-of")))
    assert purse.cost == UNKNOWN
    assert not world.budgets.slices


def test_a_reply_that_does_not_tell_its_tokens_is_charged_as_estimated() -> None:
    world = _world()
    world.plays(replace(says("yes"), cost=UNKNOWN), purpose=Purpose.RESPOND)
    with _purse(world) as purse:
        reply = purse.complete(_request())
    assert reply.cost == purse.cost == Cost(partial=True, estimated=TEN_CENTS)
    assert _committed(world) == TEN_CENTS


def test_a_call_that_is_broken_off_is_charged_as_estimated() -> None:
    world = _world()
    with pytest.raises(Stopped), _purse(world) as purse:
        purse.complete(_request(), stop_requested=lambda: True)
    assert purse.cost == Cost(estimated=TEN_CENTS)
    assert _committed(world) == TEN_CENTS


def test_a_call_that_fails_costs_nothing_and_gives_the_rest_back() -> None:
    world = _world()
    world.model.faults[Purpose.RESPOND].append(ModelUnavailable("down"))
    with pytest.raises(ModelUnavailable), _purse(world) as purse:
        purse.complete(_request())
    assert _committed(world) == Usd()


def test_a_call_that_fails_after_attempts_that_were_charged_costs_what_they_did() -> None:
    world = _world()
    lost = Cost(estimated=_usd("0.03"))
    world.model.faults[Purpose.RESPOND].append(ModelUnavailable("dropped again and again", spent=lost))
    with pytest.raises(ModelUnavailable), _purse(world) as purse:
        purse.complete(_request())
    assert (purse.cost, _committed(world)) == (lost, _usd("0.03"))


def test_a_call_that_is_refused_after_attempts_that_were_charged_costs_what_they_did() -> None:
    world = _world()
    lost = Cost(estimated=_usd("0.03"))
    world.model.faults[Purpose.RESPOND].append(ModelRefused("400", spent=lost))
    with pytest.raises(ModelRefused), _purse(world) as purse:
        purse.complete(_request())
    assert (purse.cost, _committed(world)) == (lost, _usd("0.03"))


def test_all_attempts_at_a_call_together_may_cost_what_is_left_of_the_slice() -> None:
    world = _world(Limits(run=_usd("0.30")), "0.10", "0.10")
    with _purse(world) as purse:
        purse.complete(_request())
        purse.complete(_request())
    assert [request.may_cost for request in world.model.requests] == [_usd("0.30"), _usd("0.20")]


def test_a_purse_passes_on_stops_and_text() -> None:
    world = _world()
    heard: list[str] = []
    with _purse(world) as purse:
        purse.complete(_request(), on_text=heard.append)
    assert heard == ["yes"]


def test_an_attempt_that_dies_leaves_its_slice_open_wherever_it_dies_and_the_end_of_the_run_charges_it() -> None:
    def attempt(world: World) -> None:
        with _purse(world) as purse:
            purse.complete(_request())

    moments = Moments()
    world = _world()
    with world.effects.watch(moments):
        attempt(world)
    for at in range(len(moments.seen)):
        world = _world()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            attempt(world)
        spent = _usd("0.01") if len(world.model.requests) else Usd()
        run = world.requested()
        settled = settle_open(world.budgets, run)
        assert not world.budgets.open_slices(EXECUTION)
        assert _committed(world) >= spent
        assert settled.cost.estimated in {Usd(), TEN_CENTS * 3}
        assert settle_open(world.budgets, settled) == settled


def test_a_retried_attempt_settles_what_it_knows_of_the_one_that_died() -> None:
    world = _world()
    for key in ("7/1", "7/2"):
        with pytest.raises(Death), world.effects.watch(_at("after model.complete", die)), _purse(world, key) as purse:
            purse.complete(_request())
    with pytest.raises(Death), world.effects.watch(_at("after model.complete", die)), _purse(world, "8/3") as purse:
        purse.complete(_request())
    lost = world.spending.lost(WHO, Purpose.RESPOND, "7/")
    assert [one.id for one in lost] == [f"{EXECUTION}/respond/7/1/0", f"{EXECUTION}/respond/7/2/0"]
    world.spending.settle_lost(lost, {lost[1].id: Cost(_usd("0.02"))}, Cost(estimated=TEN_CENTS))
    [left] = world.budgets.open_slices(EXECUTION)
    assert left.id == f"{EXECUTION}/respond/8/3/0"
    assert _committed(world) == _usd("0.12") + left.amount


def test_an_attempt_with_the_key_of_one_that_is_over_takes_a_slice_of_its_own() -> None:
    world = _world()
    for _ in range(2):
        with _purse(world, "same") as purse:
            purse.complete(_request())
    assert len(world.budgets.settled) == 2
    assert _committed(world) == _usd("0.02")


def test_a_run_without_money_asks_for_it_as_often_as_it_has_to() -> None:
    run = World().requested()
    refused = OverBudget("The limit is reached.", period="run", needed=TEN_CENTS)
    once = waits_for_money(replace(run, options=("a",)), refused)
    assert (once.next, once.waiting, once.needed, once.question, once.options) == (
        Next.CLARIFY,
        Waiting.MONEY,
        TEN_CENTS,
        "The limit is reached.",
        (),
    )
    assert [once.asked_for_money, waits_for_money(once, refused).asked_for_money] == [1, 2]
    assert payer_of(run) == WHO


@given(
    limit=st.integers(1, 120),
    calls=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10), st.booleans()), max_size=30),
)
def test_purses_that_are_used_in_turns_never_have_more_out_than_the_limit(
    limit: int, calls: list[tuple[int, int, bool]]
) -> None:
    world = _world(Limits(user_month=Usd(Decimal(limit) / 100)), *(str(Decimal(cents) / 100) for _, cents, _ in calls))
    purses = [_purse(world, str(number)) for number in range(3)]
    asked = 0
    for number, _, settles in calls:
        try:
            purses[number].complete(_request())
            asked += 1
        except OverBudget:
            assert _committed(world, Period.USER_MONTH) + TEN_CENTS > Usd(Decimal(limit) / 100)
        assert _committed(world, Period.USER_MONTH) <= Usd(Decimal(limit) / 100)
        if settles:
            purses[number].settle()
    for purse in purses:
        purse.settle()
    spent = sum((purse.cost for purse in purses), Cost())
    assert len(world.model.requests) == asked
    assert (_committed(world, Period.USER_MONTH), world.budgets.spent(EXECUTION)) == (spent.charged, spent)


def _at(wanted: str, act: Callable[[str], None]) -> Callable[[str], None]:
    def watch(moment: str) -> None:
        if moment == wanted:
            act(moment)

    return watch


def test_a_call_that_an_onlooker_breaks_off_counts_as_dearest() -> None:
    world = _world()

    def unreadable() -> bool:
        raise StateUnavailable("the table does not answer")

    with pytest.raises(StateUnavailable), _purse(world) as purse:
        purse.complete(_request(), stop_requested=unreadable)
    assert (purse.cost, _committed(world)) == (Cost(estimated=TEN_CENTS), TEN_CENTS)


def test_a_call_that_is_refused_costs_nothing() -> None:
    world = _world()
    world.model.faults[Purpose.RESPOND] = [ModelRefused("400")]
    with pytest.raises(ModelRefused), _purse(world) as purse:
        purse.complete(_request())
    assert (purse.cost, _committed(world)) == (Cost(), Usd())
