"""Whether a run goes round in circles, told by its newest tool calls and what they gave.

Calls are remembered as short marks that travel with the run. A test that passes is progress, however often it is run.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from discord_agent.domain.conversation import ToolCall, ToolResult

SAME: Final = 3
"""So many times in a row the same call with the same result."""
SWINGS: Final = 3
"""So many times two calls in turn, each with the same result as before."""
SAME_FAILURE: Final = 4
"""So many calls in a row, whatever they are, that fail alike."""
REMEMBERED: Final = 2 * SWINGS

_DIGITS: Final = 6
_OK, _FAILED, _PASSED = "ok", "failed", "passed"


def mark(call: ToolCall, result: ToolResult, *, failure: str) -> str:
    """What tells a call and its result from others; ``failure`` is the signature of a failed one, "" if it worked."""
    kind = _FAILED if failure else _PASSED if _tests_pass(result) else _OK
    return ":".join((kind, _hash(f"{call.name} {_arguments(call)}"), _hash(failure or result.text)))


def remembered(marks: Sequence[str]) -> tuple[str, ...]:
    """The marks worth keeping."""
    return tuple(marks[-REMEMBERED:])


def circle(marks: Sequence[str]) -> str:
    """The circle that the newest calls end in, as people read it; "" for none."""
    rules = (
        (_repeats(marks, 1, SAME), f"the same call with the same result {SAME} times in a row"),
        (_repeats(marks, 2, SWINGS), f"the same two calls in turn, {SWINGS} times"),
        (_fails_alike(marks), f"the same error from {SAME_FAILURE} calls in a row"),
    )
    return next((name for holds, name in rules if holds), "")


def _repeats(marks: Sequence[str], length: int, times: int) -> bool:
    """Whether the last ``length`` marks came ``times`` times, one after the other."""
    newest = tuple(marks[-length * times :])
    pattern = newest[-length:]
    return len(newest) == length * times and newest == pattern * times and not any(map(_is_passed, pattern))


def _fails_alike(marks: Sequence[str]) -> bool:
    newest = [mark.split(":") for mark in marks[-SAME_FAILURE:]]
    all_failed = len(newest) == SAME_FAILURE and all(kind == _FAILED for kind, _, _ in newest)
    return all_failed and len({result for _, _, result in newest}) == 1


def _is_passed(mark: str) -> bool:
    return mark.startswith(f"{_PASSED}:")


def _tests_pass(result: ToolResult) -> bool:
    """Whether the call ran tests and all of them passed; counts from the sandbox that cannot be say nothing."""
    match result.facts.get("tests"):
        case {"run": int(run), "passed": int(passed)}:
            return run > 0 and passed == run
        case _:
            return False


def _arguments(call: ToolCall) -> str:
    """The arguments in one spelling, whatever order a model writes them in."""
    try:
        return json.dumps(json.loads(call.arguments), sort_keys=True)
    except ValueError:
        return call.arguments


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
