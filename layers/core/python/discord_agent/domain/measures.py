"""What is measured of the bot at work, as names, units and meanings; each becomes a custom metric of CloudWatch."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain.run import Outcome

NAMESPACE: Final = "DiscordAgent"


class Unit(StrEnum):
    """Units as CloudWatch knows them; money has none there."""

    COUNT = "Count"
    SECONDS = "Seconds"
    NONE = "None"


class Measure(Struct, frozen=True):
    """One figure; with ``by`` and ``values`` each of the values is a metric, and a charge, of its own."""

    name: str
    unit: Unit
    meaning: str
    by: str = ""
    values: tuple[str, ...] = ()

    def dimensions(self, of: str = "") -> dict[str, str]:
        """What tells its metrics apart; ValueError when ``of`` is none of its values."""
        if of not in (self.values or ("",)):
            raise ValueError(f"{self.name} is not measured of {of!r}")
        return {self.by: of} if self.by else {}


RUNS: Final = Measure("Runs", Unit.COUNT, "runs that ended, by outcome", "Outcome", tuple(Outcome))
TURNS: Final = Measure("Turns", Unit.COUNT, "turns that agents took")
TOKENS: Final = Measure("Tokens", Unit.COUNT, "tokens that models read and wrote")
COST: Final = Measure("Cost", Unit.NONE, "dollars that models cost, as far as their prices are known")
ESCALATIONS: Final = Measure("Escalations", Unit.COUNT, "runs handed on to a stronger model")
QUEUE_AGE: Final = Measure("QueueAge", Unit.SECONDS, "how long what happened in Discord waited for intake")
STOP_LATENCY: Final = Measure("StopLatency", Unit.SECONDS, "how long a run went on after somebody stopped it")
RATE_LIMITS: Final = Measure("DiscordRateLimits", Unit.COUNT, "answers of Discord that asked to come back later")
MODEL_FAULTS: Final = Measure("ModelFaults", Unit.COUNT, "calls of models that failed")
BRIDGE_CONNECTED: Final = Measure(
    "BridgeConnected", Unit.NONE, "1 while the bridge hears Discord and its queue takes what it hears, else 0"
)

MEASURES: Final = (
    RUNS,
    TURNS,
    TOKENS,
    COST,
    ESCALATIONS,
    QUEUE_AGE,
    STOP_LATENCY,
    RATE_LIMITS,
    MODEL_FAULTS,
    BRIDGE_CONNECTED,
)
"""Everything that is measured."""
