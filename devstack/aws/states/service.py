"""Step Functions' API over the interpreter: state machines, executions, task tokens.

Operations take and return the API's own JSON, with instants as ``datetime``; ApiError carries the service's error code.
"""

import json
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from devstack.aws.interpreter.limits import LIMIT
from devstack.aws.interpreter.platform import Platform
from devstack.aws.interpreter.tokens import ClosedToken, Failure, Success, UnknownToken, WaitingTask
from devstack.aws.states.execution import RUNNING, Ending, Execution
from devstack.aws.states.machines import Machines, described
from devstack.aws.states.requests import ApiError, Json, checked_name, required
from devstack.aws.states.store import ExecutionStore, Record

_KEPT_HISTORIES: Final = 500
_PAGE: Final = 1000

type OnEnd = Callable[[Record], None]


class StatesService:
    """One account's Step Functions; ``on_end`` hears of every execution's end, in its thread."""

    def __init__(self, platform: Platform, store: ExecutionStore, on_end: OnEnd) -> None:
        self.machines = Machines()
        self._platform = platform
        self._store = store
        self._on_end = on_end
        self._lock = threading.Lock()
        self._executions: OrderedDict[str, Execution] = OrderedDict()
        self._halted = False

    def halt(self) -> None:
        """End what runs without recording it: in the store it stays running, and is reported at the next start."""
        self._halted = True
        with self._lock:
            running = [execution for execution in self._executions.values() if execution.ending is None]
        for execution in running:
            execution.stop("Stack.Stopped", None)

    def running(self) -> list[str]:
        """The ARNs of the executions that run."""
        with self._lock:
            return [arn for arn, execution in self._executions.items() if execution.ending is None]

    def execution(self, arn: str) -> Execution:
        """An execution of this process; ApiError when its history is not here."""
        with self._lock:
            found = self._executions.get(arn)
        if found is None:
            raise ApiError(
                "ExecutionDoesNotExist",
                f"Execution Does Not Exist: '{arn}' (histories are kept in memory, for the stack's lifetime)",
            )
        return found

    # Executions.

    def start_execution(self, request: Json) -> Json:
        """StartExecution; the same name and input as a running execution is that execution."""
        machine = self.machines.find(required(request, "stateMachineArn"))
        name = checked_name(request["name"]) if request.get("name") else str(uuid.uuid4())
        text = _json(request.get("input", "{}"), "InvalidExecutionInput", "Invalid State Machine Execution Input")
        execution = Execution(machine, name, text, self._platform, self._ended)
        if not self._store.add(_record(execution)):
            return self._started_before(execution)
        with self._lock:
            self._executions[execution.arn] = execution
        execution.start()
        return {"executionArn": execution.arn, "startDate": execution.started}

    def stop_execution(self, request: Json) -> Json:
        """StopExecution; the execution has ended when this returns."""
        arn = required(request, "executionArn")
        record = self._record(arn)
        if record.status == RUNNING:
            self.execution(arn).stop(request.get("error"), request.get("cause"))
            record = self._record(arn)
        return {"stopDate": record.stopped}

    def describe_execution(self, request: Json) -> Json:
        """DescribeExecution, also of executions of an earlier process."""
        record = self._record(required(request, "executionArn"))
        with self._lock:
            started = self._executions.get(record.arn)
        answer: Json = {
            **_listed(record),
            "stateMachineVersionArn": started and started.machine.version_arn,
            "stateMachineAliasArn": started and started.machine.alias_arn,
            "input": record.input,
            "inputDetails": {"included": True},
            "output": record.output,
            "outputDetails": None if record.output is None else {"included": True},
            "error": record.error,
            "cause": record.cause,
        }
        return {key: value for key, value in answer.items() if value is not None}

    def describe_state_machine_for_execution(self, request: Json) -> Json:
        """DescribeStateMachineForExecution."""
        execution = self.execution(required(request, "executionArn"))
        return described(execution.machine) | {"updateDate": execution.started}

    def list_executions(self, request: Json) -> Json:
        """ListExecutions, the newest first."""
        machine = self.machines.find(required(request, "stateMachineArn"))
        wanted = request.get("statusFilter")
        records = [each for each in self._store.of_machine(machine.arn) if wanted in {None, each.status}]
        page, token = _paged(records, request, 100)
        return {"executions": [_listed(record) for record in page], **token}

    def get_execution_history(self, request: Json) -> Json:
        """GetExecutionHistory, in pages and either order."""
        events = [_event(event) for event in self.execution(required(request, "executionArn")).history()]
        if request.get("reverseOrder"):
            events.reverse()
        page, token = _paged(events, request, 100)
        return {"events": page, **token}

    # Task tokens.

    def send_task_success(self, request: Json) -> Json:
        """SendTaskSuccess."""
        task = self._task(request)
        task_output = _json(required(request, "output"), "InvalidOutput", "Invalid Output")
        _if_open(lambda: task.answer(Success(task_output)))
        return {}

    def send_task_failure(self, request: Json) -> Json:
        """SendTaskFailure."""
        task = self._task(request)
        _if_open(lambda: task.answer(Failure(request.get("error"), request.get("cause"))))
        return {}

    def send_task_heartbeat(self, request: Json) -> Json:
        """SendTaskHeartbeat."""
        _if_open(self._task(request).beat)
        return {}

    def _task(self, request: Json) -> WaitingTask:
        try:
            return self._platform.tokens.find(required(request, "taskToken"))
        except UnknownToken as error:
            raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'") from error
        except ClosedToken as error:
            raise _closed() from error

    def _record(self, arn: str) -> Record:
        record = self._store.find(arn)
        if record is None:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return record

    def _started_before(self, execution: Execution) -> Json:
        known = self._record(execution.arn)
        if known.status == RUNNING and known.input == execution.input:
            return {"executionArn": known.arn, "startDate": known.started}
        raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{known.arn}'")

    def _ended(self, execution: Execution) -> None:
        if execution.ending is None:
            raise RuntimeError("an execution reported its end without one")
        if self._halted:
            return
        record = _record(execution, execution.ending)
        self._store.end(record, to_report=record.status != "SUCCEEDED")
        with self._lock:
            ended = [arn for arn, each in self._executions.items() if each.ending is not None]
            for arn in ended[:-_KEPT_HISTORIES]:
                del self._executions[arn]
        self._on_end(record)


def _record(execution: Execution, ending: Ending | None = None) -> Record:
    return Record(
        arn=execution.arn,
        machine_arn=execution.machine.arn,
        name=execution.name,
        status=RUNNING if ending is None else ending.status,
        input=execution.input,
        output=None if ending is None else ending.output,
        error=None if ending is None else ending.error,
        cause=None if ending is None else ending.cause,
        started=execution.started,
        stopped=None if ending is None else ending.stopped,
    )


def _listed(record: Record) -> Json:
    listed: Json = {
        "executionArn": record.arn,
        "stateMachineArn": record.machine_arn,
        "name": record.name,
        "status": record.status,
        "startDate": record.started,
    }
    return listed if record.stopped is None else listed | {"stopDate": record.stopped}


def _event(event: Mapping[str, Any]) -> Json:
    return {**event, "timestamp": datetime.fromisoformat(event["timestamp"])}


def _json(text: str, code: str, what: str) -> str:
    if len(text.encode()) > LIMIT:
        raise ApiError("ValidationException", f"{what}: longer than {LIMIT} bytes")
    try:
        json.loads(text)
    except ValueError as error:
        raise ApiError(code, f"{what}: '{error}'") from error
    return text


def _paged[T](items: list[T], request: Json, default: int) -> tuple[list[T], Json]:
    try:
        start = int(request.get("nextToken") or 0)
    except ValueError as error:
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'") from error
    end = start + min(request.get("maxResults") or default, _PAGE)
    return items[start:end], {"nextToken": str(end)} if end < len(items) else {}


def _closed() -> ApiError:
    return ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def _if_open(action: Callable[[], None]) -> None:
    try:
        action()
    except ClosedToken as error:
        raise _closed() from error
