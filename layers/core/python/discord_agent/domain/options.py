"""Ways to go on that people are shown and may choose from."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from discord_agent.domain.ids import ModelName

MOST_OPTIONS: Final = 3
MOST_POINTS: Final = 7
"""Points for and against an option, of each at most."""


class Option(Struct, frozen=True):
    """One way to go on; ``text`` is Markdown and holds all that a run needs to know of it."""

    title: str
    text: str


class Proposal(Struct, frozen=True):
    """The options that one model thought of."""

    model: ModelName
    options: tuple[Option, ...]


def described(
    title: str,
    overview: str,
    *,
    rationale: str = "",
    architecture: str = "",
    pros: Sequence[str] = (),
    cons: Sequence[str] = (),
    best_for: str = "",
) -> Option:
    """An option from its parts; empty ones are left out."""
    parts = (
        overview,
        rationale and f"**Why:** {rationale}",
        architecture and f"**How it is built:** {architecture}",
        _points("For", "✅", pros),
        _points("Against", "❌", cons),
        best_for and f"**Best for:** {best_for}",
    )
    return Option(title, "\n\n".join(part for part in parts if part))


def chosen_request(request: str, option: Option) -> str:
    """What is asked of the run that carries out an option which was shown in answer to ``request``."""
    return f"{request}\n\nCarry out this option, which was chosen from several: {option.title}\n\n{option.text}".strip()


def _points(name: str, mark: str, points: Sequence[str]) -> str:
    shown = "\n".join(f"{mark} {point}" for point in points[:MOST_POINTS])
    return f"**{name}:**\n{shown}" if shown else ""
