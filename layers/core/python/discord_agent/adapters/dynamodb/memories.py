"""Reflections and insights, each its own item in the sessions table, so that nobody rewrites a list."""

from collections.abc import Iterator
from copy import replace
from datetime import timedelta
from typing import Any, Final

from boto3.dynamodb.conditions import Attr, Key
from msgspec import Struct

from discord_agent.adapters.codec import from_json, to_item
from discord_agent.adapters.dynamodb.leases import hold
from discord_agent.adapters.dynamodb.store import ConditionFailed, Item, PrimaryKey, Store, delete, put, update
from discord_agent.domain import memory
from discord_agent.domain.errors import LeaseLost
from discord_agent.domain.ids import ThreadId, UserId
from discord_agent.domain.memory import Insight, Reflection, Shelf
from discord_agent.domain.session import Lease
from discord_agent.ports import Clock

REFLECTION_KEPT: Final = timedelta(days=90)
INSIGHT_KEPT: Final = timedelta(days=365)
"""After a run taught it last."""
FORGOTTEN_KEPT: Final = timedelta(days=90)

_REFLECTION: Final = "reflection#"
_INSIGHT: Final = "insight#"
_FORGOTTEN: Final = "forgotten#"


class DynamoInsights(Struct, frozen=True):
    """Items ``insight#<id>`` of a guild, and ``forgotten#<id>`` of those that people took away."""

    store: Store
    table: str
    clock: Clock

    def list(self, shelf: Shelf) -> tuple[Insight, ...]:
        """At most twenty, newest first."""
        return memory.newest_insights(self._insights(shelf, _INSIGHT))

    def learn(self, shelf: Shelf, insight: Insight) -> Insight | None:
        """Keep an insight, or count it towards the one that says the same; returns what is kept now."""
        if memory.says_nothing(insight.text):
            return None
        if memory.most_alike(self._insights(shelf, _FORGOTTEN), insight.text) is not None:
            return None
        known = self._insights(shelf, _INSIGHT)
        kept = memory.merged(known, replace(insight, text=memory.sentence(insight.text)))
        if any(item.id == kept.id for item in known):
            return self._count(shelf, kept)
        self.store.write(put(self.table, self._row(shelf, _INSIGHT, kept, INSIGHT_KEPT)))
        outlived = {item.id for item in known} - {item.id for item in memory.newest_insights([kept, *known])}
        for name in outlived:
            self.store.write(delete(self.table, _key(shelf, _INSIGHT, name)))
        return kept

    def _count(self, shelf: Shelf, kept: Insight) -> Insight | None:
        """Bring a known insight up to date but for its words, which people may be changing at this moment."""
        values = {**to_item(kept), **self._until(INSIGHT_KEPT)}
        changes = {name: values[name] for name in values.keys() - {"id", "text", "edited_by"}}
        item = _change(self.store, self.table, _key(shelf, _INSIGHT, kept.id), changes)
        return from_json(Insight, item) if item else None

    def edit(self, shelf: Shelf, insight_id: str, text: str, *, by: UserId) -> Insight | None:
        """Replace its text; returns it as it is now, None if there is none."""
        values = {"text": memory.sentence(text), "edited_by": by}
        item = _change(self.store, self.table, _key(shelf, _INSIGHT, insight_id), values)
        return from_json(Insight, item) if item else None

    def forget(self, shelf: Shelf, insight_id: str, *, by: UserId) -> Insight | None:
        """Take it away, and its like for three months; returns what was taken."""
        key = _key(shelf, _INSIGHT, insight_id)
        item = self.store.get(self.table, key)
        if item is None:
            return None
        taken = replace(from_json(Insight, item), edited_by=by)
        # In one go: an insight that is taken away but not marked would come back with the next run.
        self.store.transact(
            put(self.table, self._row(shelf, _FORGOTTEN, taken, FORGOTTEN_KEPT)), delete(self.table, key)
        )
        return taken

    def _insights(self, shelf: Shelf, prefix: str) -> tuple[Insight, ...]:
        return tuple(from_json(Insight, item) for item in _items(self.store, self.table, shelf, prefix))

    def _row(self, shelf: Shelf, prefix: str, insight: Insight, kept: timedelta) -> dict[str, Any]:
        return {**to_item(insight), **_key(shelf, prefix, insight.id), **self._until(kept)}

    def _until(self, kept: timedelta) -> dict[str, int]:
        return {"ttl": int((self.clock.now() + kept).timestamp())}


class DynamoReflections(Struct, frozen=True):
    """Items ``reflection#<id>`` of a thread."""

    store: Store
    table: str
    clock: Clock

    def list(self, thread: ThreadId) -> tuple[Reflection, ...]:
        """At most five, newest first."""
        return memory.newest_reflections(self._all(thread))

    def add(self, thread: ThreadId, reflection: Reflection, *, lease: Lease | None = None) -> None:
        """Keep a reflection, once per id; with ``lease``, LeaseLost unless it is still the newest."""
        before = self._all(thread)
        row = {
            **to_item(reflection),
            **_key(thread, _REFLECTION, reflection.id),
            "ttl": int((self.clock.now() + REFLECTION_KEPT).timestamp()),
        }
        writes = [put(self.table, row), *([hold(self.table, lease)] if lease else [])]
        try:
            self.store.transact(*writes)
        except ConditionFailed as error:
            raise LeaseLost(f"{lease.owner if lease else ''} no longer holds thread {thread}") from error
        others = [item for item in before if item.id != reflection.id]
        kept = {item.id for item in memory.newest_reflections([reflection, *others])}
        for item in others:
            if item.id not in kept:
                self.store.write(delete(self.table, _key(thread, _REFLECTION, item.id)))

    def edit(self, thread: ThreadId, reflection_id: str, text: str, *, by: UserId) -> Reflection | None:
        """Replace its strategy change; returns it as it is now, None if there is none."""
        values = {"strategy_change": memory.sentence(text), "edited_by": by}
        item = _change(self.store, self.table, _key(thread, _REFLECTION, reflection_id), values)
        return from_json(Reflection, item) if item else None

    def forget(self, thread: ThreadId, reflection_id: str) -> Reflection | None:
        """Take it away; returns what was taken, None if there is none."""
        key = _key(thread, _REFLECTION, reflection_id)
        item = self.store.get(self.table, key)
        if item is None:
            return None
        self.store.write(delete(self.table, key))
        return from_json(Reflection, item)

    def _all(self, thread: ThreadId) -> tuple[Reflection, ...]:
        return tuple(from_json(Reflection, item) for item in _items(self.store, self.table, thread, _REFLECTION))


def _items(store: Store, table: str, partition: str, prefix: str) -> Iterator[Item]:
    return store.query(table, Key("thread_id").eq(partition) & Key("record").begins_with(prefix))


def _change(store: Store, table: str, key: PrimaryKey, values: dict[str, Any]) -> Item | None:
    try:
        return store.write(update(table, key, values=values, condition=Attr("record").exists()))
    except ConditionFailed:
        return None


def _key(partition: str, prefix: str, name: str) -> PrimaryKey:
    return {"thread_id": partition, "record": f"{prefix}{name}"}
