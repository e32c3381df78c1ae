"""Which error is called what, and which Retry or Catch takes it.

Mended here: a Choice without a match is States.NoChoiceMatched; the reserved names cross Map and Parallel; Retry and
Catch take what ``catching`` says.
"""

from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from devstack.aws.interpreter.catching import takes


def mend() -> None:
    """Replace the matching and the naming."""
    CustomErrorName.__init__ = _any_name
    ErrorEqualsDecl._eval_body = _equals  # noqa: SLF001 (replaces moto's)
    StateChoice._eval_state = _choose  # noqa: SLF001 (replaces moto's)


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
