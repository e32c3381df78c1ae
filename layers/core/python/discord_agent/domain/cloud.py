"""What a run takes of AWS, and what that costs about: an estimate, because only the bill knows free tiers and rounding."""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from discord_agent.domain.money import Usd


@dataclass(frozen=True, slots=True)
class CloudUse:
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
        return CloudUse(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __sub__(self, other: "CloudUse") -> "CloudUse":
        return CloudUse(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(self)))

    @property
    def gb_seconds(self) -> Decimal:
        """What Lambda charges for."""
        return Decimal(self.mb_ms) / _MB_MS_PER_GB_SECOND

    @property
    def storage_requests(self) -> int:
        """Requests to tables, objects and queues."""
        return self.table_reads + self.table_writes + self.object_reads + self.object_writes + self.messages


_MB_MS_PER_GB_SECOND: Final = 1024 * 1000
_MILLION: Final = Decimal(1_000_000)

PRICES: Final = {
    "mb_ms": Decimal("0.0000166667") / _MB_MS_PER_GB_SECOND,
    "invocations": Decimal("0.20") / _MILLION,
    "transitions": Decimal(25) / _MILLION,
    "table_reads": Decimal("0.125") / _MILLION,
    "table_writes": Decimal("0.625") / _MILLION,
    "object_reads": Decimal("0.40") / _MILLION,
    "object_writes": Decimal(5) / _MILLION,
    "messages": Decimal("0.50") / _MILLION,
}
"""US dollars per unit in us-east-1 without free tiers, from AWS's price lists of 2026-11: Lambda on x86, Step Functions
Standard, DynamoDB on demand (a request is taken to fit one unit), S3 Standard, SQS FIFO."""


def cost_of(use: CloudUse) -> Usd:
    """About what it costs."""
    return Usd(sum((getattr(use, name) * price for name, price in PRICES.items()), Decimal()))
