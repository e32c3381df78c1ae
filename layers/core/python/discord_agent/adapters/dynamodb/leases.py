"""One writer per thread: a lease with an owner, an expiry and a fence."""

from datetime import timedelta
from typing import Final

from boto3.dynamodb.conditions import Attr, ConditionBase
from msgspec import Struct

from discord_agent.adapters.codec import from_json, timestamp
from discord_agent.adapters.dynamodb.store import ConditionFailed, Item, PrimaryKey, Store, Write, check, update
from discord_agent.domain.errors import Conflict, LeaseLost
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.domain.session import Lease
from discord_agent.ports import Clock

DURATION: Final = timedelta(minutes=20)
"""Longer than the longest step (900 s), so that a live step never sees its lease expire."""


def lock_key(thread: ThreadId) -> PrimaryKey:
    """The key of a thread's lock item, which is never deleted while the thread lives: its fence may not go back."""
    return {"thread_id": thread, "record": "lock"}


def is_newest(lease: Lease) -> ConditionBase:
    """The condition that nobody acquired or renewed after ``lease``."""
    return Attr("owner").eq(lease.owner) & Attr("fence").eq(lease.fence)


def hold(table: str, lease: Lease) -> Write:
    """Makes a transaction depend on a lease."""
    return check(table, lock_key(lease.thread_id), is_newest(lease))


class DynamoLeases(Struct, frozen=True):
    """Leases in the sessions table.

    A lock goes through these times; every arrow to the right by ``acquire`` or ``renew`` raises the fence::

        free ──acquire──► held until expires_at ──────────► expired ──acquire by anybody──► held …
          ▲                   │       ▲ renew by the owner     │ ▲ renew by the owner: still its own
          └──────release──────┘       └────────────────────────┘
    """

    store: Store
    table: str
    clock: Clock
    duration: timedelta = DURATION

    def acquire(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        """Take a free or expired lease (or one's own again); Conflict while another run holds it."""
        free = Attr("owner").not_exists()
        expired = Attr("expires_at").lte(timestamp(self.clock.now()))
        own = Attr("owner").eq(owner)
        try:
            return self._take(thread, owner, free | expired | own)
        except ConditionFailed as error:
            raise Conflict(f"another run holds thread {thread}") from error

    def renew(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        """Prolong one's own lease and raise its fence; LeaseLost if another run took it, or it was released."""
        own = Attr("owner").eq(owner)
        try:
            return self._take(thread, owner, own)
        except ConditionFailed as error:
            raise LeaseLost(f"{owner} no longer holds thread {thread}") from error

    def holds(self, lease: Lease) -> bool:
        """Whether ``lease`` is still the newest, by a consistent read."""
        item = self.store.get(self.table, lock_key(lease.thread_id)) or {}
        return item.get("owner") == lease.owner and item.get("fence") == lease.fence

    def release(self, thread: ThreadId, owner: ExecutionId, *, fence: int | None = None) -> None:
        """Give up one's own lease, keeping the fence; nothing happens if it is not held, or was renewed since."""
        own = Attr("owner").eq(owner)
        condition = own if fence is None else own & Attr("fence").eq(fence)
        try:
            self.store.write(
                update(self.table, lock_key(thread), values={"owner": None, "expires_at": None}, condition=condition)
            )
        except ConditionFailed:
            return

    def holder(self, thread: ThreadId) -> ExecutionId | None:
        """Who holds an unexpired lease."""
        item = self.store.get(self.table, lock_key(thread)) or {}
        held = "owner" in item and item["expires_at"] > timestamp(self.clock.now())
        return ExecutionId(item["owner"]) if held else None

    def _take(self, thread: ThreadId, owner: ExecutionId, condition: ConditionBase) -> Lease:
        item: Item = self.store.write(
            update(
                self.table,
                lock_key(thread),
                values={"owner": owner, "expires_at": self.clock.now() + self.duration, "ttl": None},
                add={"fence": 1},
                condition=condition,
            )
        )
        return from_json(Lease, item)
