"""The sessions that the data plane's STS has given out."""

import time
from typing import Any, Final

from ministack.services import sts

from devstack.aws.access.door import DENIED, Refused, Session, session_policy

_PARTS_OF_ARN: Final = 6


def session(key_id: str) -> Session | None:
    """The role behind a key that STS gave out, and its session policy; None for other keys and expired ones."""
    found: dict[str, Any] | None = sts._sessions.get(key_id)  # noqa: SLF001 (no public way)
    if found is None or found["Expiration"] <= time.time():
        return None
    # arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
    account, assumed = found["Arn"].split(":", _PARTS_OF_ARN - 1)[4:]
    policies = found["SessionPolicies"] or {}
    if policies.get("PolicyArns"):
        raise Refused(DENIED, "session policies by ARN are not evaluated here: give the policy itself")
    text = policies.get("Policy")
    role_arn = f"arn:aws:iam::{account}:role/{assumed.split('/')[1]}"
    return Session(role_arn, session_policy(text) if text else None)
