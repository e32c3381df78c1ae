"""What runs taught: reflections per thread, insights per guild."""

from typing import Protocol

from discord_agent.domain.ids import ThreadId, UserId
from discord_agent.domain.memory import Insight, Reflection, Shelf
from discord_agent.domain.session import Lease


class Insights(Protocol):
    """Insights shared in a guild, never across guilds; ``memory.shelf`` names where they are kept."""

    def list(self, shelf: Shelf) -> tuple[Insight, ...]:
        """At most twenty, newest first."""

    def learn(self, shelf: Shelf, insight: Insight) -> Insight | None:
        """Keep an insight, or count it towards the one that says the same; returns what is kept now.

        None if it says nothing, or people have forgotten the like of it. The same run teaches the same once.
        """

    def edit(self, shelf: Shelf, insight_id: str, text: str, *, by: UserId) -> Insight | None:
        """Replace its text; returns it as it is now, None if there is none. InvalidInput for a text that says nothing."""

    def forget(self, shelf: Shelf, insight_id: str, *, by: UserId) -> Insight | None:
        """Take it away, and its like for three months; returns what was taken, None if there is none."""


class Reflections(Protocol):
    """What the runs of a thread taught."""

    def list(self, thread: ThreadId) -> tuple[Reflection, ...]:
        """At most five, newest first."""

    def add(self, thread: ThreadId, reflection: Reflection, *, lease: Lease | None = None) -> None:
        """Keep a reflection, once per id; with ``lease``, LeaseLost unless it is still the newest."""

    def edit(self, thread: ThreadId, reflection_id: str, text: str, *, by: UserId) -> Reflection | None:
        """Replace its strategy change; returns it as it is now, None if there is none."""

    def forget(self, thread: ThreadId, reflection_id: str) -> Reflection | None:
        """Take it away; returns what was taken, None if there is none."""
