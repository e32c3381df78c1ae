"""One run of a state machine in the interpreter."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from devstack.aws.interpreter.definition import compile_definition
from devstack.aws.interpreter.platform import Platform, attach
from devstack.aws.names import ACCOUNT, REGION, execution_arn

RUNNING: Final = "RUNNING"
_STOP_PATIENCE: Final = 10.0


@dataclass(frozen=True, slots=True)
class MachineRevision:
    """A state machine as it was when an execution started, and by which version and alias it was started."""

    name: str
    arn: str
    definition: str
    role: str
    version_arn: str | None = None
    alias_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an execution ended; ``output`` is JSON and there only for SUCCEEDED."""

    status: str
    stopped: datetime
    output: str | None = None
    error: str | None = None
    cause: str | None = None


class Execution:
    """Runs in a thread of its own; ``on_end`` is called once, in that thread, after ``ending`` is set."""

    def __init__(
        self,
        machine: MachineRevision,
        name: str,
        input_text: str,
        platform: Platform,
        on_end: Callable[["Execution"], None],
    ) -> None:
        self.machine = machine
        self.name = name
        self.arn = execution_arn(machine.name, name)
        self.input = input_text
        self.started = datetime.now(UTC)
        self.ending: Ending | None = None
        self.ended = threading.Event()
        self._on_end = on_end
        self._program = compile_definition(machine.definition)
        self._env = self._environment(platform)
        self._history: list[dict[str, Any]] = []

    @property
    def status(self) -> str:
        """RUNNING, or how it ended."""
        return RUNNING if self.ending is None else self.ending.status

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name=f"execution-{self.name}", daemon=True).start()

    def stop(self, error: str | None, cause: str | None) -> None:
        """Abort it; on return it has ended, this way or another."""
        env = self._env
        if env is not None:
            env.set_stop(stop_date=datetime.now(UTC), error=error, cause=cause)
        self.ended.wait(_STOP_PATIENCE)

    def expire(self) -> None:
        """End it as if its TimeoutSeconds were over; on return it has ended, this way or another."""
        env = self._env
        if env is not None:
            env.set_timed_out()
        self.ended.wait(_STOP_PATIENCE)

    def history(self) -> list[dict[str, Any]]:
        """The events so far, as GetExecutionHistory gives them."""
        env = self._env
        if env is None:
            return self._history
        events: list[dict[str, Any]] = env.event_manager.get_event_history()
        return events

    def _environment(self, platform: Platform) -> Any:
        from moto.stepfunctions.parser.asl.eval.environment import (  # noqa: PLC0415 (mended before it is imported)
            Environment,
        )
        from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails  # noqa: PLC0415 (same)
        from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext  # noqa: PLC0415 (same)

        details = AWSExecutionDetails(account=ACCOUNT, region=REGION, role_arn=self.machine.role)
        attach(details, platform)
        env = Environment(
            aws_execution_details=details,
            execution_type="STANDARD",
            context={
                "Execution": {
                    "Id": self.arn,
                    "Input": json.loads(self.input),
                    "Name": self.name,
                    "RoleArn": self.machine.role,
                    "StartTime": self.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                },
                "StateMachine": {"Id": self.machine.arn, "Name": self.machine.name},
            },
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store={},
        )
        env.next_state_name = self._program.start_at.start_at_name
        env.event_manager.add_event(
            context=env.event_history_context,
            event_type="ExecutionStarted",
            event_details={
                "executionStartedEventDetails": {
                    "input": self.input,
                    "inputDetails": {"truncated": False},
                    "roleArn": self.machine.role,
                }
            },
            update_source_event_id=False,
        )
        return env

    def _run(self) -> None:
        from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent  # noqa: PLC0415 (mended first)

        limit = self._program.timeout_seconds
        watch = None if limit is None else threading.Timer(limit.timeout_seconds, self._env.set_timed_out)
        if watch is not None:
            watch.daemon = True
            watch.start()
        try:
            # The program's own eval would leave the time-out to a thread that nothing can interrupt.
            EvalComponent.eval(self._program, self._env)
        finally:
            if watch is not None:
                watch.cancel()
            self._conclude()

    def _conclude(self) -> None:
        self.ending = self._ending()
        self._history = self._env.event_manager.get_event_history()
        self._env = None
        self._forget_threads()
        try:
            self._on_end(self)
        finally:
            self.ended.set()

    def _ending(self) -> Ending:
        from moto.stepfunctions.parser.asl.eval import program_state as ends  # noqa: PLC0415 (mended first)

        end, now = self._env.program_state(), datetime.now(UTC)
        if isinstance(end, ends.ProgramEnded):
            output = json.dumps(self._env.states.get_input(), separators=(",", ":"), default=str)
            return Ending("SUCCEEDED", now, output=output)
        if isinstance(end, ends.ProgramStopped):
            return Ending("ABORTED", now, error=end.error, cause=end.cause)
        if isinstance(end, ends.ProgramTimedOut):
            return Ending("TIMED_OUT", now)
        fault = getattr(end, "error", None) or {"error": "States.Runtime", "cause": f"ended as {type(end).__name__}"}
        return Ending("FAILED", now, error=fault.get("error"), cause=fault.get("cause"))

    @staticmethod
    def _forget_threads() -> None:
        """Moto keeps every thread it ever started in a list."""
        from moto.stepfunctions.parser.utils import TMP_THREADS  # noqa: PLC0415 (mended first)

        TMP_THREADS.clear()
