"""Money in exact decimals; a price that is not known stays unknown."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, order=True)
class Usd:
    """An amount in US dollars."""

    amount: Decimal = Decimal(0)

    def __add__(self, other: "Usd") -> "Usd":
        return Usd(self.amount + other.amount)

    def __str__(self) -> str:
        return f"${self.amount:.4f}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent: the known part, and whether some part has no known price."""

    known: Usd = Usd()
    partial: bool = False

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.known + other.known, self.partial or other.partial)

    def __str__(self) -> str:
        if self.partial:
            return f"{self.known} + unknown" if self.known.amount else "unknown"
        return str(self.known)


UNKNOWN = Cost(partial=True)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: Decimal
    cached_input: Decimal
    output: Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls; ``cached_input`` is part of ``input``."""

    input: int = 0
    cached_input: int = 0
    output: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.cached_input + other.cached_input,
            self.output + other.output,
        )


_MILLION = Decimal(1_000_000)


def cost_of(usage: Usage, price: Price | None) -> Cost:
    """The cost of ``usage`` at ``price``; unknown when there is no price."""
    if price is None:
        return UNKNOWN
    fresh = usage.input - usage.cached_input
    total = fresh * price.input + usage.cached_input * price.cached_input + usage.output * price.output
    return Cost(Usd(total / _MILLION))
