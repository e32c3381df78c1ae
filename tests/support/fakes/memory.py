"""Reflections and insights, kept in memory under the rules of the real table."""

from copy import replace
from dataclasses import dataclass, field

from discord_agent.domain import memory
from discord_agent.domain.ids import ThreadId, UserId
from discord_agent.domain.memory import Insight, Reflection, Shelf
from discord_agent.domain.session import Lease
from tests.support.fakes.effects import Effects
from tests.support.fakes.state import FakeLeases


@dataclass
class FakeInsights:
    """Insights by shelf and id."""

    effects: Effects
    shelves: dict[Shelf, dict[str, Insight]] = field(default_factory=dict)
    forgotten: dict[Shelf, dict[str, Insight]] = field(default_factory=dict)

    def list(self, shelf: Shelf) -> tuple[Insight, ...]:
        with self.effects("insights.list"):
            return memory.newest_insights(tuple(self.shelves.get(shelf, {}).values()))

    def learn(self, shelf: Shelf, insight: Insight) -> Insight | None:
        with self.effects("insights.learn"):
            gone = tuple(self.forgotten.get(shelf, {}).values())
            if memory.says_nothing(insight.text) or memory.most_alike(gone, insight.text):
                return None
            known = self.shelves.setdefault(shelf, {})
            kept = memory.merged(tuple(known.values()), replace(insight, text=memory.sentence(insight.text)))
            known[kept.id] = kept
            self.shelves[shelf] = {item.id: item for item in memory.newest_insights(tuple(known.values()))}
            return kept

    def edit(self, shelf: Shelf, insight_id: str, text: str, *, by: UserId) -> Insight | None:
        with self.effects("insights.edit"):
            words = memory.sentence(text)
            known = self.shelves.get(shelf, {})
            if insight_id not in known:
                return None
            known[insight_id] = replace(known[insight_id], text=words, edited_by=by)
            return known[insight_id]

    def forget(self, shelf: Shelf, insight_id: str, *, by: UserId) -> Insight | None:
        with self.effects("insights.forget"):
            known = self.shelves.get(shelf, {}).pop(insight_id, None)
            if known is None:
                return None
            taken = replace(known, edited_by=by)
            self.forgotten.setdefault(shelf, {})[insight_id] = taken
            return taken


@dataclass
class FakeReflections:
    """Reflections by thread and id."""

    effects: Effects
    leases: FakeLeases
    threads: dict[ThreadId, dict[str, Reflection]] = field(default_factory=dict)

    def list(self, thread: ThreadId) -> tuple[Reflection, ...]:
        with self.effects("reflections.list"):
            return memory.newest_reflections(tuple(self.threads.get(thread, {}).values()))

    def add(self, thread: ThreadId, reflection: Reflection, *, lease: Lease | None = None) -> None:
        with self.effects("reflections.add"):
            self.leases.check(lease)
            known = self.threads.get(thread, {}) | {reflection.id: reflection}
            kept = memory.newest_reflections(tuple(known.values()))
            self.threads[thread] = {item.id: item for item in kept}

    def edit(self, thread: ThreadId, reflection_id: str, text: str, *, by: UserId) -> Reflection | None:
        with self.effects("reflections.edit"):
            words = memory.sentence(text)
            known = self.threads.get(thread, {})
            if reflection_id not in known:
                return None
            known[reflection_id] = replace(known[reflection_id], strategy_change=words, edited_by=by)
            return known[reflection_id]

    def forget(self, thread: ThreadId, reflection_id: str) -> Reflection | None:
        with self.effects("reflections.forget"):
            return self.threads.get(thread, {}).pop(reflection_id, None)
