"""Records on disk: SQLite in write-ahead mode, so that a killed process loses nothing it acknowledged."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devstack.discord.records import Record

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS children ON records (kind, parent, id);
CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """Typed records by id and by parent, files and settings; may be used from any thread."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(
            ":memory:" if folder is None else folder / "discord.sqlite",
            isolation_level=None,
            check_same_thread=False,
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Store everything inside or nothing."""
        with self._lock:
            if self._database.in_transaction:
                yield
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def put(self, record: Record) -> None:
        """Store a record in place of the one with its id."""
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)",
                (type(record).__name__, int(record.id), int(record.parent), json.dumps(asdict(record))),
            )

    def get[R: Record](self, kind: type[R], identifier: str) -> R | None:
        """The record with an id."""
        with self._lock:
            row = self._database.execute(
                "SELECT document FROM records WHERE kind = ? AND id = ?", (kind.__name__, int(identifier))
            ).fetchone()
        return _decode(kind, row[0]) if row else None

    def delete(self, kind: type[Record], identifier: str) -> None:
        """Remove a record, if it is there."""
        with self._lock:
            self._database.execute("DELETE FROM records WHERE kind = ? AND id = ?", (kind.__name__, int(identifier)))

    def children[R: Record](self, kind: type[R], parent: str) -> list[R]:
        """All records of a parent, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT document FROM records WHERE kind = ? AND parent = ? ORDER BY id", (kind.__name__, int(parent))
            ).fetchall()
        return [_decode(kind, document) for (document,) in rows]

    def everything[R: Record](self, kind: type[R], *, since: str = "0") -> list[R]:
        """All records of a kind with an id above ``since``, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT document FROM records WHERE kind = ? AND id > ? ORDER BY id", (kind.__name__, int(since))
            ).fetchall()
        return [_decode(kind, document) for (document,) in rows]

    def newest_before[R: Record](self, kind: type[R], parent: str, bound: int, limit: int) -> list[R]:
        """Records of a parent with an id below ``bound``, newest first."""
        return self._page(kind, parent, bound, "id < ? ORDER BY id DESC", limit)

    def oldest_after[R: Record](self, kind: type[R], parent: str, bound: int, limit: int) -> list[R]:
        """Records of a parent with an id above ``bound``, oldest first."""
        return self._page(kind, parent, bound, "id > ? ORDER BY id", limit)

    def put_file(self, identifier: str, content: bytes) -> None:
        """Store a file's bytes."""
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (int(identifier), content))

    def file(self, identifier: str) -> bytes | None:
        """A file's bytes."""
        with self._lock:
            row = self._database.execute("SELECT content FROM files WHERE id = ?", (int(identifier),)).fetchone()
        return row[0] if row else None

    def delete_file(self, identifier: str) -> None:
        """Remove a file's bytes."""
        with self._lock:
            self._database.execute("DELETE FROM files WHERE id = ?", (int(identifier),))

    def newest_id(self) -> int:
        """The highest id stored."""
        with self._lock:
            return int(self._database.execute("SELECT COALESCE(MAX(id), 0) FROM records").fetchone()[0])

    def setting(self, name: str) -> str | None:
        """A setting's value."""
        with self._lock:
            row = self._database.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def _page[R: Record](self, kind: type[R], parent: str, bound: int, clause: str, limit: int) -> list[R]:
        query = f"SELECT document FROM records WHERE kind = ? AND parent = ? AND {clause} LIMIT ?"  # noqa: S608 - the clause is a literal of this module
        # SQLite integers are signed and 64 bits wide; a bound beyond that means "no bound".
        values = (kind.__name__, int(parent), min(bound, 2**63 - 1), limit)
        with self._lock:
            rows = self._database.execute(query, values).fetchall()
        return [_decode(kind, document) for (document,) in rows]


def _decode[R: Record](kind: type[R], document: str) -> R:
    stored: dict[str, Any] = json.loads(document)
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    return kind(**fields)
