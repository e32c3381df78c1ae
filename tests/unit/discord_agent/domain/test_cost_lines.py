from decimal import Decimal

import pytest

from discord_agent.domain import cost_lines
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.money import UNKNOWN, Cost, Price, Usage, Usd, cost_of

PRICE = Price(input=Decimal(2), cached_input=Decimal("0.2"), output=Decimal(10))
SETTLED = cost_of(Usage(input=100_000, cached_input=50_000, output=10_000), PRICE)
LOST = Cost(estimated=Usd(Decimal("0.05")))
USE = CloudUse(mb_ms=1024 * 90_000, invocations=9, transitions=12, table_reads=20, table_writes=30, object_writes=8)
NOTHING = CloudUse()


@pytest.mark.parametrize(
    ("cost", "use", "line"),
    [
        (Cost(), NOTHING, "$0.0000"),
        (SETTLED, NOTHING, "$0.2100"),
        (SETTLED + LOST, NOTHING, "$0.2100 + ≈ $0.0500"),
        (LOST, NOTHING, "≈ $0.0500"),
        (UNKNOWN, NOTHING, "unknown"),
        (SETTLED + UNKNOWN, NOTHING, "$0.2100 + unknown"),
        (Cost(partial=True, estimated=Usd(Decimal("0.05"))), NOTHING, "≈ $0.0500"),
        (SETTLED, USE, "$0.2100 + AWS ≈ $0.0016"),
    ],
)
def test_what_is_settled_estimated_and_unknown_is_told_apart(cost: Cost, use: CloudUse, line: str) -> None:
    assert cost_lines.brief(cost, use) == line


def test_the_parts_of_a_cost_follow_its_sum() -> None:
    assert cost_lines.parts(SETTLED + LOST, USE) == (
        "$0.2100 + ≈ $0.0500 + AWS ≈ $0.0016 (input $0.1000, cached input $0.0100, output $0.1000; "
        "≈ $0.0500 for calls without figures; AWS 90.0 GB-s, 12 transitions, 58 storage requests)"
    )


def test_a_cost_of_one_part_is_told_without_it() -> None:
    assert cost_lines.parts(Cost(Usd(Decimal("0.01"))), NOTHING) == "$0.0100"
