"""Money in exact decimals; a price that is not known stays unknown."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

_CENT: Final = Decimal("0.01")


class Usd(Struct, frozen=True, order=True):
    """An amount in US dollars."""

    amount: Decimal = Decimal(0)

    def __add__(self, other: "Usd") -> "Usd":
        return Usd(self.amount + other.amount)

    def __sub__(self, other: "Usd") -> "Usd":
        return Usd(self.amount - other.amount)

    def __mul__(self, factor: int) -> "Usd":
        return Usd(self.amount * factor)

    def __str__(self) -> str:
        return f"${self.amount:.4f}"

    @property
    def short(self) -> str:
        """In cents where that says enough."""
        return f"${self.amount:.2f}" if self.amount == 0 or abs(self.amount) >= _CENT else str(self)


NOTHING: Final = Usd()


class Cost(Struct, frozen=True):
    """What was spent: the known part, and whether some part has no known price.

    ``cached_input`` and ``output`` are parts of ``known``; ``estimated`` is not: it is charged for calls whose
    figures got lost with a step that died.
    """

    known: Usd = Usd()
    partial: bool = False
    estimated: Usd = Usd()
    cached_input: Usd = Usd()
    output: Usd = Usd()

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.known + other.known,
            self.partial or other.partial,
            self.estimated + other.estimated,
            self.cached_input + other.cached_input,
            self.output + other.output,
        )

    @property
    def fresh_input(self) -> Usd:
        """What input cost that no cache held."""
        return self.known - self.cached_input - self.output

    @property
    def charged(self) -> Usd:
        """What counts against limits."""
        return self.known + self.estimated

    def __str__(self) -> str:
        if self.partial:
            return f"{self.known} + unknown" if self.known.amount else "unknown"
        return str(self.known)


UNKNOWN = Cost(partial=True)


class Price(Struct, frozen=True):
    """US dollars per million tokens; without a price of its own, writing to a cache costs like fresh input."""

    input: Decimal
    cached_input: Decimal
    output: Decimal
    cache_write: Decimal | None = None


class Usage(Struct, frozen=True):
    """Tokens of one or more model calls; ``cached_input`` and ``cache_write`` are parts of ``input``."""

    input: int = 0
    cached_input: int = 0
    output: int = 0
    cache_write: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.cached_input + other.cached_input,
            self.output + other.output,
            self.cache_write + other.cache_write,
        )


_MILLION = Decimal(1_000_000)


def cost_of(usage: Usage, price: Price | None) -> Cost:
    """The cost of ``usage`` at ``price``; unknown when there is no price."""
    if price is None:
        return UNKNOWN
    plain = usage.input - usage.cached_input - usage.cache_write
    write_price = price.input if price.cache_write is None else price.cache_write
    fresh = Usd((plain * price.input + usage.cache_write * write_price) / _MILLION)
    cached = Usd(usage.cached_input * price.cached_input / _MILLION)
    output = Usd(usage.output * price.output / _MILLION)
    return Cost(fresh + cached + output, cached_input=cached, output=output)
