"""Tasks that wait for their token.

Mended here: an answer or a heartbeat that comes while the integration call still runs counts; the cause of a failure
is kept; a missed heartbeat is States.HeartbeatTimeout; a wait ends with its execution.
"""

import json
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, TaskTimedOutEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure, CallbackOutcomeFailureError
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from devstack.aws.interpreter.attempts import Abandoned
from devstack.aws.interpreter.platform import platform_of
from devstack.aws.interpreter.tokens import Failure, HeartbeatMissed


def mend() -> None:
    """Replace the wait, and the naming of its errors."""
    StateTaskServiceCallback._eval_integration_pattern = _wait  # noqa: SLF001 (replaces moto's)
    StateTaskServiceCallback._eval_body = _body  # noqa: SLF001 (replaces moto's)
    StateTask._from_error = _named(StateTask._from_error)  # noqa: SLF001 (replaces moto's)


def _body(self: Any, env: Any) -> None:
    if self._is_integration_pattern():
        self._assert_integration_pattern_is_supported()
    StateTaskService._eval_body(self, env)  # noqa: SLF001 (moto's own protocol)
    env.states.context_object.context_object_data.pop("Task", None)


def _wait(self: Any, env: Any, **_: Any) -> None:
    env.stack.pop()
    answer = env.task.wait(_heartbeat_seconds(self, env))
    if answer is None:
        raise Abandoned
    if isinstance(answer, Failure):
        outcome = CallbackOutcomeFailure(callback_id=env.task.token, error=answer.error, cause=answer.cause)
        raise CallbackOutcomeFailureError(callback_outcome_failure=outcome)
    env.stack.append(json.loads(answer.output))


def _heartbeat_seconds(state: Any, env: Any) -> float | None:
    if state.heartbeat is None:
        return None
    state.heartbeat.eval(env=env)
    return float(env.stack.pop()) * platform_of(env).token_time_scale


def _named(original: Any) -> Any:
    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        if not isinstance(ex, HeartbeatMissed):
            return original(self, env=env, ex=ex)
        name = StatesErrorName(typ=StatesErrorNameType.StatesHeartbeatTimeout)
        return FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.TaskTimedOut,
            event_details=EventDetails(
                taskTimedOutEventDetails=TaskTimedOutEventDetails(
                    resource=self._get_sfn_resource(),
                    resourceType=self._get_sfn_resource_type(),
                    error=name.error_name,
                )
            ),
        )

    return from_error
