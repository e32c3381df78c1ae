"""How long to wait for a model, and how often to ask again."""

from typing import Final

from msgspec import Struct

from discord_agent.domain.conversation import Purpose


class Patience(Struct, frozen=True):
    """Limits of one call, in seconds.

    ``attempt`` bounds one try and ``total`` all of them with their pauses; ``silence`` is the longest gap inside a
    stream. Pauses grow from ``pause`` with full jitter; a provider that asks for more than ``longest_pause`` is not
    waited for.
    """

    attempt: float
    total: float
    silence: float = 60.0
    attempts: int = 4
    pause: float = 0.5
    longest_pause: float = 20.0


PATIENCE: Final = {
    Purpose.DECIDE: Patience(attempt=15, total=25),
    Purpose.TITLE: Patience(attempt=8, total=12),
    Purpose.PLAN: Patience(attempt=60, total=70),
    Purpose.REFLECT: Patience(attempt=45, total=55),
    Purpose.RESPOND: Patience(attempt=75, total=150),
    Purpose.COMPACT: Patience(attempt=60, total=90),
    Purpose.SUMMARIZE: Patience(attempt=30, total=40),
    Purpose.BRAINSTORM: Patience(attempt=90, total=150),
    Purpose.CONSOLIDATE: Patience(attempt=90, total=150),
    Purpose.BREAKGLASS: Patience(attempt=75, total=150),
    Purpose.TURN: Patience(attempt=180, total=420),
}
"""They fit into the functions' time limits: twice where an invalid reply is asked for again; a plan comes with a summary
of the thread, two reflections on what people objected to, and a title."""
