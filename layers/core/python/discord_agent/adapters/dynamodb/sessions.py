"""Threads' memory, inbox and votes, and guilds' settings."""

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from msgspec import Struct

from discord_agent.adapters.codec import from_json, to_item, to_json
from discord_agent.adapters.dynamodb.inbox import Inbox
from discord_agent.adapters.dynamodb.leases import hold, lock_key
from discord_agent.adapters.dynamodb.store import ConditionFailed, Item, PrimaryKey, Store, Write, delete, put, update
from discord_agent.domain import feedback
from discord_agent.domain.errors import Conflict, LeaseLost, StateUnavailable
from discord_agent.domain.ids import GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.policy import DIRECT_MESSAGES, GuildSettings
from discord_agent.domain.run import INITIAL_CONFIDENCE
from discord_agent.domain.session import InboxItem, ItemKind, Lease, Session
from discord_agent.ports import Clock

SESSION_KEPT: Final = timedelta(days=90)
"""After the last change; a thread's files are kept for 30 days."""
VOTE_KEPT: Final = timedelta(days=30)
LOCK_KEPT: Final = timedelta(days=30)
"""After a thread was forgotten: longer than any run that began before it."""

_FIELDS: Final = frozenset(Session.__struct_fields__) - {"thread_id"}
_TRIES: Final = 12


class DynamoSessions(Struct, frozen=True):
    """Everything remembered about a thread, each fact its own item in the sessions table."""

    store: Store
    table: str
    clock: Clock

    def get(self, thread: ThreadId) -> Session:
        """The session, or a new one with defaults (not stored)."""
        return from_json(Session, self._item(_session(thread)) | {"thread_id": thread})

    def update(self, thread: ThreadId, *, lease: Lease | None = None, **fields: Any) -> None:
        """Set fields of Session by name; with ``lease``, LeaseLost unless it is still the newest."""
        unknown = fields.keys() - _FIELDS
        if unknown:
            raise TypeError(f"Session has no field {', '.join(sorted(unknown))}")
        write = self._change(thread, fields)
        if lease is None:
            self.store.write(write)
            return
        try:
            self.store.transact(write, hold(self.table, lease))
        except ConditionFailed as error:
            raise LeaseLost(f"{lease.owner} no longer holds thread {thread}") from error

    def vote(self, thread: ThreadId, message: MessageId, user: UserId, value: int) -> int:
        """Store one vote per message and user (0 removes it); returns the session's new confidence.

        A vote keeps what it really changed: taking back a vote that the bounds cut off takes back only that much.
        """
        key = {"thread_id": thread, "record": f"vote#{message}#{user}"}
        for _ in range(_TRIES):
            before, cast = self._item(_session(thread)), self._item(key)
            if int(cast.get("value", 0)) == value:
                return int(before.get("confidence", INITIAL_CONFIDENCE))
            without = feedback.after_vote(
                int(before.get("confidence", INITIAL_CONFIDENCE)), -int(cast.get("change", 0))
            )
            confidence = feedback.after_vote(without, value) if value else without
            vote = {**key, "value": value, "change": confidence - without, "ttl": self._until(VOTE_KEPT)}
            same_vote = _unchanged("change", cast)
            same_confidence = _unchanged("confidence", before)
            try:
                self.store.transact(
                    put(self.table, vote, same_vote) if value else delete(self.table, key, same_vote),
                    self._change(thread, {"confidence": confidence}, same_confidence),
                )
            except ConditionFailed:
                continue
            return confidence
        raise StateUnavailable(f"the confidence of thread {thread} kept changing")

    def put(self, item: InboxItem) -> bool:
        """Queue a message once; False if it was there, or a tombstone says it was deleted or taken."""
        return self._inbox().put(item)

    def waiting(self, thread: ThreadId, kind: ItemKind) -> tuple[InboxItem, ...]:
        """The queued messages, oldest first."""
        return self._inbox().waiting(thread, kind)

    def remove(self, items: Iterable[InboxItem]) -> None:
        """Take messages out of the queue for good: a redelivery does not queue them again."""
        self._inbox().remove(items)

    def edit(self, thread: ThreadId, message: MessageId, content: str) -> bool:
        """Change a queued message; False if it is not queued (a tombstone of the edit is kept)."""
        return self._inbox().edit(thread, message, content)

    def drop(self, thread: ThreadId, message: MessageId) -> bool:
        """Delete a queued message, leaving a tombstone; False if it was not queued."""
        return self._inbox().drop(thread, message)

    def settings(self, guild: GuildId | None) -> GuildSettings:
        """A guild's settings, those of direct messages without a guild, or the defaults."""
        return from_json(GuildSettings, self._item(_settings(guild or DIRECT_MESSAGES)))

    def put_settings(self, guild: GuildId, settings: GuildSettings, *, instead_of: GuildSettings | None = None) -> None:
        """Store a guild's settings; Conflict if those are no longer ``instead_of`` (None: whatever they are)."""
        item = {**_settings(guild), **to_item(settings), "version": _version(settings)}
        unchanged = Attr("version").eq(_version(instead_of)) | Attr("version").not_exists() if instead_of else None
        try:
            self.store.write(put(self.table, item, unchanged))
        except ConditionFailed as error:
            raise Conflict(
                "Somebody changed the settings at the same moment. Nothing was changed; try again."
            ) from error

    def delete(self, thread: ThreadId) -> None:
        """Forget a thread; whoever holds its lease loses it, and the fence outlives every run that began before."""
        forgotten = {"owner": None, "expires_at": None, "ttl": self._until(LOCK_KEPT)}
        lock = lock_key(thread)
        self.store.write(update(self.table, lock, values=forgotten, add={"fence": 1}))
        for item in self.store.query(self.table, Key("thread_id").eq(thread)):
            if item["record"] != lock["record"]:
                self.store.write(delete(self.table, {"thread_id": thread, "record": item["record"]}))

    def _inbox(self) -> Inbox:
        return Inbox(self.store, self.table, self.clock)

    def _item(self, key: PrimaryKey) -> Item:
        return self.store.get(self.table, key) or {}

    def _change(self, thread: ThreadId, values: dict[str, Any], condition: ConditionBase | None = None) -> Write:
        kept = {"ttl": self._until(SESSION_KEPT)}
        return update(self.table, _session(thread), values=values | kept, condition=condition)

    def _until(self, kept: timedelta) -> int:
        return int((self.clock.now() + kept).timestamp())


def _session(thread: ThreadId) -> PrimaryKey:
    return {"thread_id": thread, "record": "session"}


def _settings(guild: GuildId) -> PrimaryKey:
    return {"thread_id": f"guild#{guild}", "record": "settings"}


def _version(settings: GuildSettings) -> str:
    """The same for the same settings."""
    return hashlib.sha256(json.dumps(to_json(settings), sort_keys=True).encode()).hexdigest()


def _unchanged(name: str, item: Item) -> ConditionBase:
    return Attr(name).eq(item[name]) if name in item else Attr(name).not_exists()
