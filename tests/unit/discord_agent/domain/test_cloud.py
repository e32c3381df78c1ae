from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import cloud
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.money import Usd

COUNTS = st.builds(CloudUse, *[st.integers(0, 10**9) for _ in CloudUse.__struct_fields__])


def test_everything_that_is_counted_has_a_price() -> None:
    assert {*CloudUse.__struct_fields__} == cloud.PRICES.keys()
    assert all(price > 0 for price in cloud.PRICES.values())


def test_a_gigabyte_for_an_hour_and_a_thousand_transitions_cost_what_the_price_list_says() -> None:
    assert cloud.cost_of(CloudUse(mb_ms=1024 * 3_600_000)).amount.quantize(Decimal("0.00001")) == Decimal("0.04800")
    assert cloud.cost_of(CloudUse(transitions=1000)) == Usd(Decimal("0.025"))


@given(COUNTS, COUNTS)
def test_uses_add_up_and_their_costs_with_them(one: CloudUse, other: CloudUse) -> None:
    assert one + other - other == one
    together = cloud.cost_of(one + other) - (cloud.cost_of(one) + cloud.cost_of(other))
    assert abs(together.amount) < Decimal("1e-15")
