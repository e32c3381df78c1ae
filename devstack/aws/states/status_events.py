"""Tells functions how executions ended, as EventBridge's rule on execution status does."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from devstack.aws.functions.invoker import Invoker
from devstack.aws.names import ACCOUNT, REGION
from devstack.aws.states.execution import RUNNING
from devstack.aws.states.store import ExecutionStore, Record

REPORTED: Final = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


type Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatusTarget:
    """A function that hears of the events that its rule wants."""

    function: str
    wants: Callable[[Event], bool]


def is_bad_end(event: Event) -> bool:
    """What the declared rule wants: an execution that did not succeed."""
    return event["detail"]["status"] in REPORTED


class StatusEvents:
    """Delivers to every target asynchronously; an end counts as reported when a delivery came to its end."""

    def __init__(self, invoker: Invoker, store: ExecutionStore, targets: Sequence[StatusTarget]) -> None:
        self._invoker = invoker
        self._store = store
        self._targets = targets
        self._former = store.unreported()

    def report(self, record: Record) -> None:
        """Deliver the end of an execution, if it is one to report."""
        if record.status not in REPORTED:
            return
        told = event(record)
        payload = json.dumps(told).encode()
        hearing = [target.function for target in self._targets if target.wants(told)]
        if not hearing:
            self._store.reported(record.arn)
        for function in hearing:
            self._invoker.invoke_later(function, payload, done=lambda: self._store.reported(record.arn))

    def is_settled(self, arn: str) -> bool:
        """Whether an execution has ended and nothing about its end is left to deliver."""
        return all(record.arn != arn for record in self._store.unreported())

    def report_former(self) -> None:
        """Deliver what an earlier process left unreported; what it left running was aborted with it."""
        for record in self._former:
            ended = record if record.status != RUNNING else _aborted(record)
            self._store.end(ended, to_report=True)
            self.report(ended)


def event(record: Record) -> Event:
    """The event in EventBridge's shape."""
    stopped = record.stopped or datetime.now(UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": ACCOUNT,
        "time": stopped.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "region": REGION,
        "resources": [record.arn],
        "detail": {
            "executionArn": record.arn,
            "stateMachineArn": record.machine_arn,
            "name": record.name,
            "status": record.status,
            "startDate": int(record.started.timestamp() * 1000),
            "stopDate": int(stopped.timestamp() * 1000),
            "input": record.input,
            "inputDetails": {"included": True},
            "output": record.output,
            "outputDetails": None,
            "error": record.error,
            "cause": record.cause,
        },
    }


def _aborted(record: Record) -> Record:
    return Record(
        record.arn,
        record.machine_arn,
        record.name,
        "ABORTED",
        record.input,
        None,
        "Stack.Restarted",
        "the embedded AWS was restarted while the execution ran",
        record.started,
        datetime.now(UTC),
    )
