"""Which error is called what, and which Retry or Catch takes it.

Mended here: a Choice without a match is States.NoChoiceMatched; the reserved names cross Map and Parallel; States.ALL
takes neither States.DataLimitExceeded nor States.Runtime, and nothing takes the latter (AWS: "Handling errors in Step
Functions workflows"); States.Timeout takes missed heartbeats; States.TaskFailed takes everything but time-outs.
"""

from collections.abc import Collection
from typing import Any, Final

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

_RUNTIME: Final = "States.Runtime"
_TOO_MUCH_DATA: Final = "States.DataLimitExceeded"
_TIMEOUT: Final = "States.Timeout"
_MISSED_HEARTBEAT: Final = "States.HeartbeatTimeout"


def mend() -> None:
    """Replace the matching and the naming."""
    CustomErrorName.__init__ = _any_name
    ErrorEqualsDecl._eval_body = _equals  # noqa: SLF001 (replaces moto's)
    StateChoice._eval_state = _choose  # noqa: SLF001 (replaces moto's)


def takes(declared: Collection[str | None], error: str | None) -> bool:
    """Whether a Retry or Catch that declares these names takes the error."""
    by_name = error in declared
    by_wildcard = "States.ALL" in declared and error != _TOO_MUCH_DATA
    as_timeout = _TIMEOUT in declared and error == _MISSED_HEARTBEAT
    as_failure = "States.TaskFailed" in declared and error not in {_TIMEOUT, _MISSED_HEARTBEAT, _TOO_MUCH_DATA}
    return error != _RUNTIME and (by_name or by_wildcard or as_timeout or as_failure)


def _any_name(self: Any, error_name: str | None) -> None:
    ErrorName.__init__(self, error_name=error_name)


def _equals(self: Any, env: Any) -> None:
    error = env.stack.pop()
    env.stack.append(takes([name.error_name for name in self.error_names], error and error.error_name))


def _choose(self: Any, env: Any) -> None:
    for rule in self.choices_decl.rules:
        rule.eval(env)
        if env.stack.pop() is True:
            env.stack.append(rule.next_stmt.name)
            return
    if self.default_state is not None:
        env.stack.append(self.default_state.state_name)
        return
    name = StatesErrorName(typ=StatesErrorNameType.StatesNoChoiceMatched)
    details = ExecutionFailedEventDetails(
        error=name.error_name, cause=f"No choice of state '{self.name}' matches, and it has no Default"
    )
    raise FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.ExecutionFailed,
            event_details=EventDetails(executionFailedEventDetails=details),
        )
    )
