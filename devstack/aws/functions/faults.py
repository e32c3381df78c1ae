"""Faults that tests switch on: what the next calls of a function meet in place of their own end."""

import json
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, Protocol

from devstack.aws.functions.model import Invocation, InvocationRefused, failure

_MESSAGE: Final = "Injected fault"
_TIMEOUT: Final = "States.Timeout"
_SERVICE: Final = "Lambda."
_UNKNOWN: Final = "Lambda.Unknown"
_THROTTLED: Final = "TooManyRequestsException"
_LONGEST_HOLD: Final = 60.0

type Run = Callable[[], Invocation]


class Fault(Protocol):
    """Something that happens to one call; ``run`` would be the call undisturbed."""

    def meet(self, run: Run) -> Invocation:
        """What comes of the call."""
        ...


@dataclass(frozen=True, slots=True)
class Failing:
    """The call ends with ``error``; with ``after`` it runs first, and only its answer is lost."""

    error: str
    after: bool = False

    def meet(self, run: Run) -> Invocation:
        """Fail in the way that makes a state machine see the error under its name."""
        if self.after:
            run()
        if self.error == _TIMEOUT:
            raise TimeoutError(_MESSAGE)
        if self.error.startswith(_SERVICE) and self.error != _UNKNOWN:
            code = self.error.removeprefix(_SERVICE)
            raise InvocationRefused(code, _MESSAGE, 429 if code == _THROTTLED else 500)
        return failure(self.error, _MESSAGE)


@dataclass(frozen=True, slots=True)
class Answering:
    """The call does not run and ends with ``answer``."""

    answer: object

    def meet(self, run: Run) -> Invocation:  # noqa: ARG002 - it does not run
        """Answer."""
        return Invocation(json.dumps(self.answer).encode())


class Gate:
    """Holds a call back until it is opened."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()
        self._ended = threading.Event()

    def await_call(self, seconds: float = 20.0) -> None:
        """Wait until the call is there; TimeoutError."""
        if not self._reached.wait(seconds):
            raise TimeoutError("nobody called the function")

    def open(self) -> None:
        """Let the call run."""
        self._opened.set()

    def await_end(self, seconds: float = 20.0) -> None:
        """Wait until the call has ended; TimeoutError."""
        if not self._ended.wait(seconds):
            raise TimeoutError("the call goes on")

    def meet(self, run: Run) -> Invocation:
        """Run once the gate is open."""
        self._reached.set()
        self._opened.wait(_LONGEST_HOLD)
        try:
            return run()
        finally:
            self._ended.set()


@dataclass(slots=True)
class FunctionFaults:
    """Faults waiting for their calls, met in the order they were planned; may be used from any thread.

    ``only`` limits a fault to calls whose payload holds all of these texts. An error has the name that state machines
    match: ``Lambda.TooManyRequestsException`` and its like refuse the call, ``States.Timeout`` (only for tasks of state
    machines) ends the task's time, any other is an error of the function.
    """

    _waiting: dict[str, list[tuple[tuple[str, ...], Fault]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail_next(
        self, function: str, *errors: str, times: int = 1, after: bool = False, only: Collection[str] = ()
    ) -> None:
        """Fail the next calls of a function with these errors, one each; the whole list ``times`` times."""
        for error in errors * times:
            self._plan(function, only, Failing(error, after))

    def answer_next(self, function: str, answer: object, *, only: Collection[str] = ()) -> None:
        """Answer the next call of a function in its place."""
        self._plan(function, only, Answering(answer))

    def hold_next(self, function: str, *, only: Collection[str] = ()) -> Gate:
        """Hold the next call of a function back."""
        gate = Gate()
        self._plan(function, only, gate)
        return gate

    def take(self, function: str, payload: bytes) -> Fault | None:
        """The fault that this call meets."""
        with self._lock:
            waiting = self._waiting.get(function, [])
            for index, (only, fault) in enumerate(waiting):
                if all(text.encode() in payload for text in only):
                    del waiting[index]
                    return fault
        return None

    def left(self, text: str = "") -> int:
        """How many faults still wait for a call, of those limited to ``text`` if it is given."""
        with self._lock:
            plans = [only for waiting in self._waiting.values() for only, _ in waiting]
        return sum(not text or text in only for only in plans)

    def _plan(self, function: str, only: Collection[str], fault: Fault) -> None:
        with self._lock:
            self._waiting.setdefault(function, []).append((tuple(only), fault))
