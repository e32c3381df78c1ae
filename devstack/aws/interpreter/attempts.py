"""One attempt of a Task, Map or Parallel state.

Mended here: an attempt ends at once when its execution is stopped or times out (moto waits for the Lambda to return);
every attempt has a task token of its own (moto keeps the first one's answer for the retries); and what an abandoned
attempt still does leaves no trace in the history.
"""

import contextvars
import copy
import functools
import threading
from collections.abc import Callable
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition

from devstack.aws.interpreter.platform import platform_of, role_of
from devstack.aws.interpreter.tokens import WaitingTask

CURRENT: Final[contextvars.ContextVar[Callable[[str], Any]]] = contextvars.ContextVar("clients")
"""The clients, by service, of the attempt that runs in this thread, for code of moto's that is given no frame."""


class Abandoned(Exception):
    """The attempt's execution went on without it."""


class _Attempt:
    """Runs a state's body in a frame and thread of its own."""

    def __init__(self, state: Any, frame: Any) -> None:
        self._state = state
        self._frame = frame
        self._error: Exception | None = None
        self._finished = False

    def run(self, seconds: float) -> None:
        """Let it run until it finishes, its time is over, or the execution ends."""
        threading.Thread(target=self._body, name=f"state-{self._state.name}", daemon=True).start()
        self._frame.program_state_event.wait(seconds)

    def result(self) -> Any:
        """What it gave; its error is raised, EvalTimeoutError when it did not finish."""
        if self._error is not None:
            raise self._error
        if not self._finished:
            raise EvalTimeoutError
        return self._frame.stack[-1]

    def _body(self) -> None:
        CURRENT.set(functools.partial(platform_of(self._frame).client, role_of(self._frame)))
        try:
            self._state._eval_execution(self._frame)  # noqa: SLF001 (moto's own protocol)
            self._finished = True
        except Exception as error:  # noqa: BLE001 (whatever it is, the waiting thread raises it)
            self._error = error
        finally:
            self._frame.set_ended()


def mend() -> None:
    """Replace how states evaluate an attempt."""
    ExecutionState._evaluate_with_timeout = _evaluate  # noqa: SLF001 (replaces moto's)


def waits_for_token(state: Any) -> bool:
    """Whether the state is a task with ``.waitForTaskToken``."""
    condition = getattr(getattr(state, "resource", None), "condition", None)
    return bool(condition == ResourceCondition.WaitForTaskToken)


def _evaluate(self: Any, env: Any) -> None:
    task = _issue_token(self, env)
    try:
        self.timeout.eval(env=env)
        seconds = env.stack.pop() * (1.0 if task is None else platform_of(env).token_time_scale)
        frame = env.open_frame()
        frame.task = task
        frame.states.reset(input_value=env.states.get_input())
        frame.stack = copy.deepcopy(env.stack)
        attempt = _Attempt(self, frame)
        attempt.run(seconds)
        frame.set_ended()
        env.close_frame(frame)
    finally:
        if task is not None:
            platform_of(env).tokens.retire(task)
    if env.is_running():
        _take_result(self, env, attempt.result())


def _issue_token(state: Any, env: Any) -> WaitingTask | None:
    if not waits_for_token(state):
        return None
    context = env.states.context_object.context_object_data
    task = platform_of(env).tokens.issue(context["Execution"]["Id"])
    context["Task"] = {"Token": task.token}
    return task


def _take_result(state: Any, env: Any, result: Any) -> None:
    env.stack.append(result)
    if not state._is_language_query_jsonpath():  # noqa: SLF001 (moto's own protocol)
        env.states.set_result(result)
    if state.assign_decl:
        state.assign_decl.eval(env=env)
    if state.result_selector:
        state.result_selector.eval(env=env)
    if state.result_path:
        state.result_path.eval(env)
    else:
        env.states.reset(input_value=env.stack.pop())
