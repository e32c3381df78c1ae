"""What is known about executions across restarts: one row each, in SQLite under the data folder.

The interpreter's executions live in memory. A row that still says RUNNING when the store is opened belongs to a
process that is gone; such executions are reported as aborted. Names stay taken, so that a redelivered start is seen.
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

NAMES_KEPT: Final = timedelta(days=90)
"""As long as AWS keeps an ended execution and its name."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS executions (
    arn TEXT PRIMARY KEY, machine_arn TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
    input TEXT NOT NULL, output TEXT, error TEXT, cause TEXT,
    started REAL NOT NULL, stopped REAL, reported INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_machine ON executions (machine_arn, started DESC);
CREATE INDEX IF NOT EXISTS unreported ON executions (reported) WHERE reported = 0;
"""
_COLUMNS: Final = "arn, machine_arn, name, status, input, output, error, cause, started, stopped"


@dataclass(frozen=True, slots=True)
class Record:
    """An execution as the store knows it."""

    arn: str
    machine_arn: str
    name: str
    status: str
    input: str
    output: str | None
    error: str | None
    cause: str | None
    started: datetime
    stopped: datetime | None


class ExecutionStore:
    """Safe to use from any thread; a commit survives kill -9 of this process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)
        oldest = (datetime.now(UTC) - NAMES_KEPT).timestamp()
        self._database.execute("DELETE FROM executions WHERE reported = 1 AND stopped < ?", (oldest,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def add(self, record: Record) -> bool:
        """Keep a new execution; False when its name is taken."""
        with self._lock:
            cursor = self._database.execute(
                f"INSERT OR IGNORE INTO executions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 (a constant)
                _row(record),
            )
            return cursor.rowcount == 1

    def end(self, record: Record, *, to_report: bool) -> None:
        """Keep how an execution ended; one to report stays unreported until ``reported``."""
        with self._lock:
            self._database.execute(
                "UPDATE executions SET status = ?, output = ?, error = ?, cause = ?, stopped = ?, reported = ?"
                " WHERE arn = ?",
                (
                    record.status,
                    record.output,
                    record.error,
                    record.cause,
                    None if record.stopped is None else record.stopped.timestamp(),
                    0 if to_report else 1,
                    record.arn,
                ),
            )

    def reported(self, arn: str) -> None:
        """The end of an execution was delivered to everybody who has to know."""
        with self._lock:
            self._database.execute("UPDATE executions SET reported = 1 WHERE arn = ?", (arn,))

    def unreported(self) -> Sequence[Record]:
        """Executions that run, or whose end is still to be reported."""
        return self._select("reported = 0 ORDER BY started", ())

    def find(self, arn: str) -> Record | None:
        """One execution, or None."""
        return next(iter(self._select("arn = ?", (arn,))), None)

    def of_machine(self, machine_arn: str) -> Sequence[Record]:
        """A machine's executions, the newest first."""
        return self._select("machine_arn = ? ORDER BY started DESC, rowid DESC", (machine_arn,))

    def _select(self, condition: str, values: tuple[str, ...]) -> list[Record]:
        with self._lock:
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM executions WHERE {condition}",  # noqa: S608 (constants of this module)
                values,
            ).fetchall()
        return [_record(row) for row in rows]


def _record(row: tuple[Any, ...]) -> Record:
    *texts, started, stopped = row
    arn, machine_arn, name, status, input_text, output, error, cause = texts
    return Record(
        arn,
        machine_arn,
        name,
        status,
        input_text,
        output,
        error,
        cause,
        _instant(started),
        None if stopped is None else _instant(stopped),
    )


def _row(record: Record) -> tuple[str | float | None, ...]:
    stopped = None if record.stopped is None else record.stopped.timestamp()
    return (
        record.arn,
        record.machine_arn,
        record.name,
        record.status,
        record.input,
        record.output,
        record.error,
        record.cause,
        record.started.timestamp(),
        stopped,
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
