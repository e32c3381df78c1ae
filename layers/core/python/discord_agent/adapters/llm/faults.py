"""What goes wrong with a provider: whether another try can mend it, and a sentence without its raw words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_TRANSIENT_STATUSES: Final = frozenset({408, 409, 425, 429})
_CODE: Final = re.compile(r"[a-z][a-z_]{2,48}")


class UnusableAnswer(Exception):
    """The provider answered, but with nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt; ``retry_after`` in seconds when the provider names a time."""

    sentence: str
    transient: bool
    retry_after: float | None = None


def fault_of(error: Exception, model: str) -> Fault:
    """Judge a failed attempt by its type and HTTP status only: a provider's words may hold prompts or keys."""
    if isinstance(error, UnusableAnswer):
        return Fault(f"{model}: {error}", transient=True)
    if isinstance(error, TimeoutError) or type(error).__name__ in {"Timeout", "APITimeoutError"}:
        return Fault(f"{model} did not answer in time", transient=True)
    if type(error).__name__ == "ContextWindowExceededError":
        return Fault(f"the conversation is too long for {model}", transient=False)
    if type(error).__name__ == "ContentPolicyViolationError":
        return Fault(f"the provider's content policy refuses the request to {model}", transient=False)
    return _by_status(error, model)


def _by_status(error: Exception, model: str) -> Fault:
    status = getattr(error, "status_code", None)
    # litellm gives a status of its own making to what never got an answer; only real answers have headers.
    has_answer = isinstance(getattr(error, "litellm_response_headers", None), Mapping)
    if not isinstance(status, int) or (status >= 500 and not has_answer):
        return Fault(f"the connection to the provider of {model} failed", transient=True)
    if status < 400:
        return Fault(f"the provider of {model} sent an answer that makes no sense", transient=True)
    code = str(getattr(error, "code", None) or "")
    reason = f", {code}" if _CODE.fullmatch(code) else ""
    if status in _TRANSIENT_STATUSES or status >= 500:
        sentence = f"the provider of {model} is {'busy' if status == 429 else 'failing'} (HTTP {status}{reason})"
        return Fault(sentence, transient=True, retry_after=_retry_after(error))
    remedy = {
        401: "check that the key is valid",
        403: "check what the key may use",
        404: "check that the provider offers this model",
    }.get(status, "it does not accept the request")
    return Fault(f"the provider of {model} refuses (HTTP {status}{reason}): {remedy}", transient=False)


def _retry_after(error: Exception) -> float | None:
    headers = getattr(error, "litellm_response_headers", None)
    value = headers.get("retry-after") if isinstance(headers, Mapping) else None
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return None
