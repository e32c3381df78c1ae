"""Checks: each looks at one thing and says what it found, and how to mend it. What could not be looked at is not well."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from discord_agent.domain.errors import AgentError

PATIENCE: Final = 40.0
"""Seconds for all checks together; they run side by side."""


class Level(StrEnum):
    """How well something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, as a sentence; ``remedy`` says how to mend it."""

    name: str
    level: Level
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """``look`` finds one thing or several; an AgentError it raises is a failure, with its message."""

    name: str
    look: Callable[[], Iterable[Finding]]


def ok(name: str, what: str) -> Finding:
    """All is well."""
    return Finding(name, Level.OK, what)


def warn(name: str, what: str, remedy: str) -> Finding:
    """It works, but not everything, or not for long."""
    return Finding(name, Level.WARN, what, remedy)


def fail(name: str, what: str, remedy: str = "") -> Finding:
    """It does not work."""
    return Finding(name, Level.FAIL, what, remedy)


def holds(findings: Iterable[Finding]) -> bool:
    """Whether nothing fails, and everything could be looked at."""
    return all(finding.level in {Level.OK, Level.WARN} for finding in findings)


def examine(checks: Sequence[Check], seconds: float = PATIENCE) -> list[Finding]:
    """Look at everything side by side; findings in the order of the checks. What takes too long stays unknown."""
    results: queue.SimpleQueue[tuple[int, list[Finding]]] = queue.SimpleQueue()
    for number, check in enumerate(checks):
        # Whoever hangs is left behind: the process does not wait for it.
        threading.Thread(target=_look, args=(number, check, results), daemon=True, name=check.name).start()
    found: dict[int, list[Finding]] = {}
    until = time.monotonic() + seconds
    while len(found) < len(checks):
        try:
            number, findings = results.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[number] = findings
    return [finding for number, check in enumerate(checks) for finding in found.get(number, [_late(check, seconds)])]


def _look(number: int, check: Check, results: "queue.SimpleQueue[tuple[int, list[Finding]]]") -> None:
    try:
        findings = list(check.look())
    except AgentError as error:
        what, _, remedy = str(error).partition(": ")
        findings = [fail(check.name, what, remedy)]
    except Exception as error:  # noqa: BLE001 - whatever it is, one check must not hide what the others found
        # Its words may quote what was sent or read, and that may be a secret.
        what = f"it could not be looked at ({type(error).__name__})"
        findings = [Finding(check.name, Level.UNKNOWN, what, "try again; if it stays so, it is a bug of doctor")]
    results.put((number, findings))


def _late(check: Check, seconds: float) -> Finding:
    return Finding(check.name, Level.UNKNOWN, f"no answer within {seconds:g} s", "check the network, then try again")
