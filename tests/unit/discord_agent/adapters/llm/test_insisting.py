import asyncio
from collections.abc import Sequence
from copy import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.llm.faults import Fault, FaultKind
from discord_agent.adapters.llm.insisting import Insistence
from discord_agent.adapters.llm.patience import Patience
from discord_agent.adapters.llm.targets import Target
from discord_agent.adapters.llm.wire import Reader
from discord_agent.domain.conversation import Message, ModelReply, Role
from discord_agent.domain.errors import ContextTooLong, ModelRefused, ModelUnavailable
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Cost, Usage, Usd

PATIENCE = Patience(attempt=10, total=100, attempts=3, pause=0.0)
TARGETS = tuple(Target(ModelName(name), {}, Reader(name)) for name in ("first", "second", "third"))
LOST = Cost(estimated=Usd(Decimal("0.5")))
PAID = Cost(Usd(Decimal("0.1")))

BUSY = Fault("busy")
BROKEN = Fault("broken", was_answered=True, cost=LOST)
REFUSED = Fault("refused", FaultKind.REFUSED)
TOO_LONG = Fault("too long", FaultKind.TOO_LONG)


def says(text: str) -> ModelReply:
    """An answer of whoever is asked."""
    return ModelReply(Message(Role.ASSISTANT, text), ModelName(""), Usage(1, 0, 1), PAID)


class Provider:
    """Plays outcomes in order, then repeats the last one."""

    def __init__(self, outcomes: Sequence[ModelReply | Fault]) -> None:
        self.outcomes = outcomes
        self.asked: list[ModelName] = []
        self.limits: list[float] = []

    async def __call__(self, target: Target, limit: float) -> ModelReply | Fault:
        assert limit > 0
        self.limits.append(limit)
        outcome = self.outcomes[min(len(self.asked), len(self.outcomes) - 1)]
        self.asked.append(target.name)
        return replace(outcome, model=target.name) if isinstance(outcome, ModelReply) else outcome


def told(provider: Provider, patience: Patience = PATIENCE) -> ModelReply:
    return asyncio.run(Insistence(patience, provider, lambda: 0.0).ask(TARGETS))


def test_no_further_attempt_is_made_than_there_is_money_for() -> None:
    provider = Provider([says(""), says("Hi.")])
    insistence = Insistence(PATIENCE, provider, lambda: 0.0, affordable=lambda spent: spent.charged < PAID.known)
    assert asyncio.run(insistence.ask(TARGETS)).message.text == ""
    assert provider.asked == ["first"]


def test_nobody_stands_in_for_whom_there_is_no_money() -> None:
    provider = Provider([BROKEN])
    insistence = Insistence(PATIENCE, provider, lambda: 0.0, affordable=lambda spent: not spent.charged.amount)
    with pytest.raises(ModelUnavailable) as caught:
        asyncio.run(insistence.ask(TARGETS))
    assert provider.asked == ["first"]
    assert caught.value.spent == LOST


@pytest.mark.parametrize(("fault", "kind"), [(REFUSED, ModelRefused), (TOO_LONG, ContextTooLong)])
def test_a_refusal_tells_what_the_attempts_before_it_cost(fault: Fault, kind: type[ModelRefused]) -> None:
    with pytest.raises(kind) as caught:
        told(Provider([BROKEN, fault]))
    assert caught.value.spent == LOST


def test_an_answer_after_faults_costs_what_was_lost_too() -> None:
    provider = Provider([BROKEN, BUSY, says("Hi.")])
    reply = told(provider)

    assert provider.asked == ["first"] * 3
    assert (reply.cost, reply.instead_of) == (PAID + LOST, None)


def test_others_are_asked_in_order_and_twice_each() -> None:
    provider = Provider([BUSY] * 6 + [says("Hi.")])
    reply = told(provider)

    assert provider.asked == ["first"] * 3 + ["second"] * 2 + ["third"] * 2
    assert (reply.model, reply.instead_of) == ("third", "first")


def test_when_nobody_answers_each_fault_is_told() -> None:
    with pytest.raises(ModelUnavailable) as caught:
        told(Provider([BUSY]))

    assert str(caught.value) == "busy (attempts: 3); busy (attempts: 2); busy (attempts: 2)"


@pytest.mark.parametrize(("fault", "error"), [(REFUSED, ModelRefused), (TOO_LONG, ContextTooLong)])
def test_what_the_first_one_refuses_nobody_else_is_asked(fault: Fault, error: type[Exception]) -> None:
    provider = Provider([BUSY, fault, says("Hi.")])
    with pytest.raises(error):
        told(provider)

    assert provider.asked == ["first"] * 2


@pytest.mark.parametrize("fault", [REFUSED, TOO_LONG])
def test_what_a_stand_in_refuses_the_next_one_is_asked(fault: Fault) -> None:
    provider = Provider([BUSY, BUSY, BUSY, fault, says("Hi.")])

    assert told(provider).model == "third"
    assert provider.asked == ["first"] * 3 + ["second", "third"]


def test_a_provider_that_names_a_long_time_is_not_waited_for() -> None:
    provider = Provider([replace(BUSY, retry_after=PATIENCE.longest_pause + 1), says("Hi.")])

    assert told(provider).model == "second"


@pytest.mark.parametrize(
    ("attempt", "total", "first", "second"), [(60, 70, 60, 35), (10, 100, 10, 10), (90, 100, 90, 50)]
)
def test_a_first_attempt_has_all_its_time_and_others_share_the_rest(
    attempt: float, total: float, first: float, second: float
) -> None:
    provider = Provider([BUSY, says("Hi.")])
    told(provider, replace(PATIENCE, attempts=1, attempt=attempt, total=total))

    assert provider.limits == [pytest.approx(first, abs=1), pytest.approx(second, abs=1)]


def test_two_empty_answers_are_one_and_both_are_paid() -> None:
    provider = Provider([says(" ")])
    reply = told(provider)

    assert provider.asked == ["first"] * 2
    assert (reply.usage, reply.cost) == (Usage(2, 0, 2), PAID + PAID)


def test_an_empty_answer_is_better_than_none() -> None:
    assert told(Provider([says(""), BUSY])).cost == PAID


outcomes = st.lists(st.sampled_from([BUSY, BROKEN, REFUSED, TOO_LONG, says(""), says("Hi.")]), min_size=1, max_size=8)


@given(outcomes)
def test_attempts_are_bounded_and_nothing_that_was_paid_is_forgotten(played: list[ModelReply | Fault]) -> None:
    provider = Provider(played)
    try:
        reply = told(provider)
    except (ModelRefused, ModelUnavailable):
        reply = None

    attempts = [provider.asked.count(target.name) for target in TARGETS]
    met = [played[min(number, len(played) - 1)] for number in range(len(provider.asked))]
    assert all(count <= most for count, most in zip(attempts, (3, 2, 2), strict=True))
    if reply is not None:
        assert reply.cost == sum((outcome.cost for outcome in met), Cost())
        assert (reply.instead_of is None) == (reply.model == "first")
