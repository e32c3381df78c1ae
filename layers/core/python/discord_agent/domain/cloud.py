"""What a run takes of AWS, and what that costs about: an estimate, because only the bill knows free tiers and rounding."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

from discord_agent.domain import list_prices
from discord_agent.domain.list_prices import Unit
from discord_agent.domain.money import Usd


class CloudUse(Struct, frozen=True):
    """Counts: ``mb_ms`` is megabytes of memory times milliseconds, the rest are requests."""

    mb_ms: int = 0
    invocations: int = 0
    transitions: int = 0
    table_reads: int = 0
    table_writes: int = 0
    object_reads: int = 0
    object_writes: int = 0
    messages: int = 0

    def __add__(self, other: "CloudUse") -> "CloudUse":
        return CloudUse(*(getattr(self, one) + getattr(other, one) for one in self.__struct_fields__))

    def __sub__(self, other: "CloudUse") -> "CloudUse":
        return CloudUse(*(getattr(self, one) - getattr(other, one) for one in self.__struct_fields__))

    @property
    def gb_seconds(self) -> Decimal:
        """What Lambda charges for."""
        return Decimal(self.mb_ms) / _MB_MS_PER_GB_SECOND

    @property
    def storage_requests(self) -> int:
        """Requests to tables, objects and queues."""
        return self.table_reads + self.table_writes + self.object_reads + self.object_writes + self.messages


_MB_MS_PER_GB_SECOND: Final = 1024 * 1000
_UNITS: Final = {
    "invocations": Unit.LAMBDA_REQUEST,
    "transitions": Unit.TRANSITION,
    "table_reads": Unit.TABLE_READ,
    "table_writes": Unit.TABLE_WRITE,
    "object_reads": Unit.OBJECT_READ,
    "object_writes": Unit.OBJECT_WRITE,
    "messages": Unit.FIFO_REQUEST,
}
PRICES: Final = {
    "mb_ms": list_prices.PRICES[Unit.LAMBDA_ARM] / _MB_MS_PER_GB_SECOND,
    **{name: list_prices.PRICES[unit] for name, unit in _UNITS.items()},
}
"""US dollars per unit, without free tiers: Lambda on arm64, which is the default, and the dearer kind of queue."""


def cost_of(use: CloudUse) -> Usd:
    """About what it costs."""
    return Usd(sum((getattr(use, name) * price for name, price in PRICES.items()), Decimal()))
