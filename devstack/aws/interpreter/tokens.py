"""Task tokens: who waits for an answer, and what became of it."""

import base64
import binascii
import json
import secrets
import threading
import time
from dataclasses import dataclass


class UnknownToken(Exception):
    """The text was never a token."""


class ClosedToken(Exception):
    """Nobody waits for this token any more."""


@dataclass(frozen=True, slots=True)
class Success:
    """The answer of SendTaskSuccess; ``output`` is JSON."""

    output: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer of SendTaskFailure."""

    error: str | None
    cause: str | None


class HeartbeatMissed(TimeoutError):
    """No heartbeat came within HeartbeatSeconds."""


class WaitingTask:
    """One attempt of a task that waits for its token; answers may come before it begins to wait."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._changed = threading.Condition()
        self._answer: Success | Failure | None = None
        self._open = True
        self._last_beat = time.monotonic()

    def answer(self, answer: Success | Failure) -> None:
        """Settle the task; ClosedToken when it is settled or given up already."""
        with self._changed:
            if not self._open:
                raise ClosedToken
            self._answer, self._open = answer, False
            self._changed.notify_all()

    def beat(self) -> None:
        """Say that work goes on; ClosedToken when nobody waits."""
        with self._changed:
            if not self._open:
                raise ClosedToken
            self._last_beat = time.monotonic()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def wait(self, heartbeat_seconds: float | None) -> Success | Failure | None:
        """Wait for the answer; None when the task was given up; HeartbeatMissed."""
        with self._changed:
            while self._open:
                if heartbeat_seconds is None:
                    self._changed.wait()
                    continue
                left = self._last_beat + heartbeat_seconds - time.monotonic()
                if left <= 0:
                    self._open = False
                    raise HeartbeatMissed
                self._changed.wait(left)
            return self._answer


class TaskTokens:
    """The open tokens of one Step Functions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, WaitingTask] = {}

    def issue(self, execution_arn: str) -> WaitingTask:
        """A new task with a token that names its execution."""
        content = json.dumps({"execution": execution_arn, "task": secrets.token_hex(16)})
        task = WaitingTask(base64.urlsafe_b64encode(content.encode()).decode())
        with self._lock:
            self._waiting[task.token] = task
        return task

    def retire(self, task: WaitingTask) -> None:
        """Close the task and forget it."""
        task.close()
        with self._lock:
            self._waiting.pop(task.token, None)

    def find(self, token: str) -> WaitingTask:
        """The task behind a token; ClosedToken when it is over, UnknownToken when the text is no token."""
        with self._lock:
            task = self._waiting.get(token)
        if task is not None:
            return task
        if execution_of(token) is not None:
            raise ClosedToken
        raise UnknownToken


def execution_of(token: str) -> str | None:
    """The ARN of the execution that a token was issued for; None when the text was never one."""
    try:
        content = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        return None
    issued = isinstance(content, dict) and content.keys() == {"execution", "task"}
    return str(content["execution"]) if issued else None
