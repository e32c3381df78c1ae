"""A measured figure and what it should be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and what it should be at most."""

    name: str
    value: float
    unit: str
    target: float
    met: bool

    @classmethod
    def at_most(cls, name: str, value: float, unit: str, target: float) -> "Target":
        """Met when the value is no larger."""
        return cls(name, round(value, 3), unit, target, value <= target)
