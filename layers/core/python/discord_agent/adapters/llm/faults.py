"""What goes wrong with a provider: whether another try can mend it, and a sentence without its raw words."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain.money import Cost

_TRANSIENT_STATUSES: Final = frozenset({408, 409, 425, 429})
_CODE: Final = re.compile(r"[a-z][a-z_]{2,48}")
_TOO_LONG_CODE: Final = "context_length_exceeded"


class UnusableAnswer(Exception):
    """The provider answered, but with nothing that can be used."""


class FaultKind(StrEnum):
    """What follows from a failed attempt."""

    PASSING = "passing"
    """The same request may work later, or elsewhere."""
    REFUSED = "refused"
    """It never will: the request, or the key, has to change."""
    TOO_LONG = "too_long"
    """It will when the conversation is shorter."""


class Fault(Struct, frozen=True):
    """One failed attempt; ``retry_after`` in seconds when the provider names a time.

    ``was_answered`` says that the provider had begun to work on it, and so may charge for it; ``cost`` is what that is
    estimated at.
    """

    sentence: str
    kind: FaultKind = FaultKind.PASSING
    retry_after: float | None = None
    was_answered: bool = False
    cost: Cost = Cost()


def fault_of(error: Exception, model: str) -> Fault:
    """Judge a failed attempt by its type and HTTP status only: a provider's words may hold prompts or keys."""
    if isinstance(error, UnusableAnswer):
        return Fault(f"{model}: {error}", was_answered=True)
    if isinstance(error, TimeoutError) or type(error).__name__ in {"Timeout", "APITimeoutError"}:
        return Fault(f"{model} did not answer in time", was_answered=True)
    if type(error).__name__ == "ContextWindowExceededError" or getattr(error, "code", None) == _TOO_LONG_CODE:
        return Fault(f"the conversation is too long for {model}", FaultKind.TOO_LONG)
    if type(error).__name__ == "ContentPolicyViolationError":
        return Fault(f"the provider's content policy refuses the request to {model}", FaultKind.REFUSED)
    return _by_status(error, model)


def _by_status(error: Exception, model: str) -> Fault:
    status = getattr(error, "status_code", None)
    # litellm gives a status of its own making to what never got an answer; only real answers have headers.
    has_answer = isinstance(getattr(error, "litellm_response_headers", None), Mapping)
    if not isinstance(status, int) or (status >= 500 and not has_answer):
        return Fault(f"the connection to the provider of {model} failed")
    if status < 400:
        return Fault(f"the provider of {model} sent an answer that makes no sense", was_answered=True)
    code = str(getattr(error, "code", None) or "")
    reason = f", {code}" if _CODE.fullmatch(code) else ""
    if status in _TRANSIENT_STATUSES or status >= 500:
        sentence = f"the provider of {model} is {'busy' if status == 429 else 'failing'} (HTTP {status}{reason})"
        return Fault(sentence, retry_after=_retry_after(error))
    remedy = {
        401: "check that the key is valid",
        403: "check what the key may use",
        404: "check that the provider offers this model",
    }.get(status, "it does not accept the request")
    return Fault(f"the provider of {model} refuses (HTTP {status}{reason}): {remedy}", FaultKind.REFUSED)


def _retry_after(error: Exception) -> float | None:
    headers = getattr(error, "litellm_response_headers", None)
    value = headers.get("retry-after") if isinstance(headers, Mapping) else None
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return None
