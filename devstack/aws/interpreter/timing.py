"""Waits and the pauses between retries end with the execution, and follow the platform's time scale."""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.retry.max_attempts_decl import MaxAttemptsOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retrier_decl import RetrierDecl
from moto.stepfunctions.parser.asl.component.common.retry.retrier_outcome import RetrierOutcome
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from devstack.aws.interpreter.platform import platform_of


def mend() -> None:
    """Replace the two places that sleep."""
    WaitFunction._wait_interval = _wait  # noqa: SLF001 (replaces moto's)
    RetrierDecl._eval_body = _retry  # noqa: SLF001 (replaces moto's)


def pause(env: Any, seconds: float) -> None:
    """Sleep for scaled seconds, or until the execution ends."""
    env.program_state_event.wait(max(seconds, 0) * platform_of(env).time_scale)


def _wait(_: Any, env: Any, wait_seconds: float) -> None:
    pause(env, wait_seconds)


def _retry(self: Any, env: Any) -> None:
    self.error_equals.eval(env)
    if not env.stack.pop():
        env.stack.append(RetrierOutcome.Skipped)
        return
    self.max_attempts.eval(env=env)
    if env.stack.pop() == MaxAttemptsOutcome.EXHAUSTED:
        env.stack.append(RetrierOutcome.Failed)
        return
    for part in (self.interval_seconds, self.backoff_rate, self.max_delay_seconds, self.jitter_strategy):
        part.eval(env=env)
    pause(env, env.stack.pop())
    env.stack.append(RetrierOutcome.Executed)
