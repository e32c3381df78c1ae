"""Counting what the running process takes of AWS."""

import threading
import time
from functools import cache
from typing import Any, Final

from botocore.hooks import BaseEventHooks

from discord_agent.domain.cloud import CloudUse

_COUNTED: Final = {
    "dynamodb": {
        "GetItem": "table_reads",
        "Query": "table_reads",
        "PutItem": "table_writes",
        "UpdateItem": "table_writes",
        "DeleteItem": "table_writes",
    },
    "s3": {
        "GetObject": "object_reads",
        "HeadObject": "object_reads",
        "PutObject": "object_writes",
        "ListObjectsV2": "object_writes",
    },
    "sqs": {"SendMessage": "messages"},
}
"""Which operation counts as what; S3 charges for a list as for a write."""

_TRANSACTION: Final = 2
"""Writes that a write in a transaction is charged as."""
_BEGAN: Final = "discord_agent_began"


class Meter:
    """Counts the requests of the sessions it watches; may be used from any thread.

    A Lambda environment serves one event at a time, so the difference of two readings is what an event took.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = CloudUse()

    @property
    def total(self) -> CloudUse:
        """Everything so far."""
        with self._lock:
            return self._total

    def watch(self, events: BaseEventHooks) -> None:
        """Count the requests of a client, or of all clients that a session makes from now on, by its events."""
        for service, operations in _COUNTED.items():
            for operation, kind in operations.items():
                events.register(f"before-call.{service}.{operation}", self._counter(kind))
        events.register("provide-client-params.dynamodb.TransactWriteItems", self._transaction)

    def watch_invocations(self, events: BaseEventHooks, memory_mb: int) -> None:
        """Count what functions with this memory take that a client invokes."""
        events.register("before-call.lambda.Invoke", _note_begin)
        events.register("after-call.lambda.Invoke", self._invocation(memory_mb))

    def add(self, use: CloudUse) -> None:
        """Count what somebody else took for this process."""
        with self._lock:
            self._total += use

    def _counter(self, kind: str) -> Any:
        names = {*CloudUse.__struct_fields__}
        if kind not in names:
            raise ValueError(f"nothing is counted as {kind}")
        one = CloudUse(**{kind: 1})
        return lambda **_: self.add(one)

    def _transaction(self, params: dict[str, Any], **_: Any) -> None:
        self.add(CloudUse(table_writes=_TRANSACTION * len(params.get("TransactItems", ()))))

    def _invocation(self, memory_mb: int) -> Any:
        def ended(context: dict[str, Any], **_: Any) -> None:
            elapsed = time.monotonic() - context.get(_BEGAN, time.monotonic())
            self.add(CloudUse(mb_ms=memory_mb * round(elapsed * 1000), invocations=1))

        return ended


@cache
def meter() -> Meter:
    """The meter of this process."""
    return Meter()


def _note_begin(context: dict[str, Any], **_: Any) -> None:
    context[_BEGAN] = time.monotonic()
