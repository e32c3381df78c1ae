"""Whether a function's own policy lets a service call it on behalf of something."""

import fnmatch
import json
from collections.abc import Mapping
from typing import Any, Final

_INVOKE: Final = frozenset({"lambda:InvokeFunction", "lambda:*"})
_EQUAL: Final = frozenset({"ArnLike", "ArnEquals", "StringLike", "StringEquals"})


def lets_in(policy: str, *, service: str, source: str, account: str) -> bool:
    """Whether the policy allows the service to invoke the function for the ``source`` ARN, and denies it nothing.

    A condition that is not understood is not met.
    """
    statements = [each for each in json.loads(policy)["Statement"] if _is_about(each, service)]
    is_denied = any(each["Effect"] == "Deny" for each in statements)
    return not is_denied and any(_holds(each.get("Condition", {}), source, account) for each in statements)


def _is_about(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement["Principal"]
    named = principal.get("Service", ()) if isinstance(principal, dict) else principal
    actions = set(_listed(statement["Action"]))
    return bool(actions & _INVOKE) and (named == "*" or service in _listed(named))


def _holds(conditions: Mapping[str, Mapping[str, Any]], source: str, account: str) -> bool:
    known = {"aws:sourcearn": source, "aws:sourceaccount": account}
    return all(
        operator in _EQUAL
        and key.lower() in known
        and any(fnmatch.fnmatchcase(known[key.lower()], pattern) for pattern in _listed(patterns))
        for operator, keys in conditions.items()
        for key, patterns in keys.items()
    )


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
