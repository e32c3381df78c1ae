"""The shard's state and lease in the sessions table: one item, so that only the lease's holder can write state.

owner A   ├─ acquire ── renew ── save ─┤ (dies)      lease_until
owner B             acquire? no          acquire? no │ acquire: yes
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from boto3.dynamodb.conditions import Attr

from discord_agent.adapters.dynamodb.store import ConditionFailed, Store, update
from discord_agent.domain.errors import LeaseLost
from gateway_bridge.state import State, read_state, write_state

_LOG: Final = logging.getLogger(__name__)


class ShardStore:
    """One shard's item. Errors of all methods: StateUnavailable."""

    def __init__(
        self, store: Store, table: str, *, bot_id: str, shard_id: int, owner: str, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._table = table
        self._key = {"thread_id": f"bridge#{bot_id}", "record": f"shard#{shard_id}"}
        self._owner = owner
        self._now = now

    def acquire(self, seconds: float) -> State | None:
        """Take the lease and read the state; None while another process holds it."""
        free = Attr("owner").not_exists()
        mine = Attr("owner").eq(self._owner)
        expired = Attr("lease_until").lt(self._milliseconds())
        try:
            item = self._store.write(
                update(
                    self._table,
                    self._key,
                    values={"owner": self._owner, "lease_until": self._until(seconds)},
                    condition=free | mine | expired,
                )
            )
        except ConditionFailed:
            return None
        return _state(item.get("state"))

    def renew(self, seconds: float) -> None:
        """Prolong the lease; LeaseLost if another process took it."""
        self._write({"lease_until": self._until(seconds)})

    def save(self, state: State) -> None:
        """Store the state; LeaseLost if another process took over."""
        self._write({"state": write_state(state)})

    def release(self) -> None:
        """Let the next process begin at once."""
        self._write({"owner": None, "lease_until": None})

    def _write(self, values: dict[str, object]) -> None:
        try:
            self._store.write(update(self._table, self._key, values=values, condition=Attr("owner").eq(self._owner)))
        except ConditionFailed as error:
            raise LeaseLost("another process serves this shard now") from error

    def _until(self, seconds: float) -> int:
        return self._milliseconds() + int(seconds * 1000)

    def _milliseconds(self) -> int:
        return int(self._now().timestamp() * 1000)


def _state(text: object) -> State:
    if not isinstance(text, str):
        return State()
    try:
        return read_state(text)
    except ValueError:
        # Of another version, or damaged: a new session loses nothing but the resume.
        _LOG.exception("the stored state of the shard is not readable; starting a new session")
        return State()
