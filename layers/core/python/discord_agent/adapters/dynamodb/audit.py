"""The audit trail."""

import hashlib
import json
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from boto3.dynamodb.conditions import Key
from msgspec import Struct

from discord_agent.adapters.codec import from_json, timestamp, to_item, to_json
from discord_agent.adapters.dynamodb.store import Item, Store, put
from discord_agent.domain.events import AuditEntry
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.redaction import Redactor

KEPT: Final = timedelta(days=30)

_NAMES: Final = {
    "thread_id": "threadId",
    "at": "timestamp",
    "kind": "eventType",
    "execution_id": "executionId",
    "actor": "actor",
    "cost": "cost",
}
"""Fields of an entry as attributes of its row; an entry's details stand beside them."""
_RESERVED: Final = frozenset({"pk", "sk", "ttl", *_NAMES.values()})

_SEARCHED: Final = 1000
_ROW_LIMIT: Final = 300_000
"""Bytes of JSON, well below the 400 KB of an item."""
_LIMITS: Final = ((20_000, 1_000), (2_000, 200), (200, 100), (20, 10))
"""What is tried in turn until a row fits: characters of a text, items of a list."""


class DynamoAuditLog(Struct, frozen=True):
    """Rows of the messages table: ``pk`` is the thread, ``sk`` is ``<time>#<digest of the entry>``.

    The digest makes a repeated write of an entry land on its own row, while entries of one moment stay apart. Rows
    are flat: ``eventType`` is the entry's kind, its details are attributes of their own in camelCase.
    """

    store: Store
    table: str
    redactor: Redactor

    def record(self, entry: AuditEntry) -> None:
        """Append an entry; secrets are redacted, then what is too long for a row is cut."""
        details = _fitting(self.redactor.data(to_json(entry.details)))
        taken = _RESERVED & details.keys()
        if taken:
            raise ValueError(f"an audit row has its own {', '.join(sorted(taken))}")
        head = {_NAMES[name]: value for name, value in to_json(entry).items() if name in _NAMES}
        content = json.dumps(head | details, sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        moment = timestamp(entry.at)
        self.store.write(
            put(
                self.table,
                {
                    **details,
                    **{_NAMES[name]: value for name, value in to_item(entry).items() if name in _NAMES},
                    "pk": entry.thread_id,
                    "sk": f"{moment}#{digest}",
                    "ttl": int((entry.at + KEPT).timestamp()),
                },
            )
        )

    def entries(self, thread: ThreadId) -> tuple[AuditEntry, ...]:
        """All entries of a thread, oldest first."""
        return tuple(_entry(row) for row in self.store.query(self.table, Key("pk").eq(thread)))

    def newest(self, thread: ThreadId, kind: str, *, limit: int) -> tuple[AuditEntry, ...]:
        """The newest entries of one kind among a thread's newest thousand, newest first."""
        rows = islice(self.store.query(self.table, Key("pk").eq(thread), newest_first=True), _SEARCHED)
        return tuple(islice((_entry(row) for row in rows if row[_NAMES["kind"]] == kind), limit))


def _entry(row: Item) -> AuditEntry:
    fields = {name: row[attribute] for name, attribute in _NAMES.items() if attribute in row}
    details = {name: value for name, value in row.items() if name not in _RESERVED}
    return from_json(AuditEntry, fields | {"details": details})


def _fitting(details: dict[str, Any]) -> dict[str, Any]:
    fitting = details
    for characters, items in _LIMITS:
        if len(json.dumps(fitting)) <= _ROW_LIMIT:
            break
        fitting = _cut(details, characters, items)
    return fitting


def _cut(value: Any, characters: int, items: int) -> Any:
    match value:
        case str():
            return value if len(value) <= characters else f"{value[:characters]}…"
        case list():
            return [_cut(item, characters, items) for item in value[:items]]
        case dict():
            return {key: _cut(item, characters, items) for key, item in value.items()}
    return value
