"""Messages that wait to be taken up, and the marks of those that must not be."""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import timedelta
from itertools import batched
from typing import Any, Final

from boto3.dynamodb.conditions import Attr, Key
from msgspec import Struct

from discord_agent.adapters.codec import from_json, to_item
from discord_agent.adapters.dynamodb.store import ConditionFailed, Store, Write, check, delete, put, update
from discord_agent.domain.errors import StateUnavailable
from discord_agent.domain.ids import MessageId, ThreadId
from discord_agent.domain.session import InboxItem, ItemKind
from discord_agent.ports import Clock

ITEM_KEPT: Final = timedelta(days=14)
"""As long as a queue keeps a message."""
TOMBSTONE_KEPT: Final = timedelta(days=1)
"""Far longer than a message stays fresh enough to be answered."""

_PREFIX: Final = "inbox#"
_TRIES: Final = 8
_PAIRS_PER_TRANSACTION: Final = 50


class Inbox(Struct, frozen=True):
    """Items ``inbox#<message>`` and ``tombstone#<message>`` of a thread.

    Two queues have no order between them, so an edit, a deletion or a redelivery may come before or after what it
    belongs to. The tombstone remembers it: ``gone`` when the message was deleted or taken out already, ``content``
    when it was edited. Every change is a transaction over both items, so all orders end alike::

        put, drop  =  drop, put  =  put, remove, put  =  nothing queued
        put, edit  =  edit, put  =  the edited text queued
    """

    store: Store
    table: str
    clock: Clock

    def put(self, item: InboxItem) -> bool:
        """Queue a message once; False if it was there, or a tombstone says it was deleted or taken."""
        thread, message = item.thread_id, item.message_id
        for _ in range(_TRIES):
            tombstone = self.store.get(self.table, _tombstone(thread, message))
            if tombstone and "gone" in tombstone:
                return False
            queued = replace(item, content=tombstone["content"]) if tombstone else item
            untouched = (
                Attr("content").eq(tombstone["content"]) & Attr("gone").not_exists()
                if tombstone
                else Attr("record").not_exists()
            )
            row = {**to_item(queued), **_queued(thread, message), **self._until(ITEM_KEPT)}
            is_new = Attr("record").not_exists()
            failed = self._failures(
                put(self.table, row, is_new), check(self.table, _tombstone(thread, message), untouched)
            )
            if 0 in failed:
                return False
            if not failed:
                return True
        raise _contended(message)

    def waiting(self, thread: ThreadId, kind: ItemKind) -> tuple[InboxItem, ...]:
        """The queued messages, oldest first."""
        rows = self.store.query(self.table, Key("thread_id").eq(thread) & Key("record").begins_with(_PREFIX))
        items = (from_json(InboxItem, row) for row in rows)
        return tuple(sorted((item for item in items if item.kind is kind), key=_age))

    def remove(self, items: Iterable[InboxItem]) -> None:
        """Take messages out of the queue for good: a redelivery does not queue them again."""
        for batch in batched(items, _PAIRS_PER_TRANSACTION, strict=False):
            pairs = [
                (
                    delete(self.table, _queued(item.thread_id, item.message_id)),
                    self._bury(item.thread_id, item.message_id),
                )
                for item in batch
            ]
            self.store.transact(*(write for pair in pairs for write in pair))

    def edit(self, thread: ThreadId, message: MessageId, content: str) -> bool:
        """Change a queued message; False if it is not queued (its tombstone keeps the new text)."""
        changed = update(self.table, _queued(thread, message), values={"content": content}, condition=_is_queued())
        remembered = update(
            self.table, _tombstone(thread, message), values={"content": content, **self._until(TOMBSTONE_KEPT)}
        )
        return self._either(thread, message, [changed], [remembered])

    def drop(self, thread: ThreadId, message: MessageId) -> bool:
        """Delete a queued message, leaving a tombstone; False if it was not queued."""
        buried = self._bury(thread, message)
        removed = delete(self.table, _queued(thread, message), _is_queued())
        return self._either(thread, message, [removed, buried], [buried])

    def _either(
        self, thread: ThreadId, message: MessageId, if_queued: Iterable[Write], if_not: Iterable[Write]
    ) -> bool:
        not_queued = check(self.table, _queued(thread, message), ~_is_queued())
        for _ in range(_TRIES):
            if not self._failures(*if_queued):
                return True
            if not self._failures(not_queued, *if_not):
                return False
        raise _contended(message)

    def _bury(self, thread: ThreadId, message: MessageId) -> Write:
        return update(self.table, _tombstone(thread, message), values={"gone": True, **self._until(TOMBSTONE_KEPT)})

    def _until(self, kept: timedelta) -> dict[str, int]:
        return {"ttl": int((self.clock.now() + kept).timestamp())}

    def _failures(self, *writes: Write) -> frozenset[int]:
        try:
            self.store.transact(*writes)
        except ConditionFailed as error:
            return error.writes
        return frozenset()


def _is_queued() -> Any:
    return Attr("record").exists()


def _queued(thread: ThreadId, message: MessageId) -> Mapping[str, str]:
    return {"thread_id": thread, "record": f"{_PREFIX}{message}"}


def _tombstone(thread: ThreadId, message: MessageId) -> Mapping[str, str]:
    return {"thread_id": thread, "record": f"tombstone#{message}"}


def _age(item: InboxItem) -> tuple[int, str]:
    # Snowflakes are numbers that grow with time; as texts they compare so only at equal length.
    return len(item.message_id), item.message_id


def _contended(message: MessageId) -> StateUnavailable:
    return StateUnavailable(f"the inbox entry of {message} kept changing")
