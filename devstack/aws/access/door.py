"""Who may do what in the embedded AWS: every call of a role is judged by its policy, as IAM would."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from deployment.iam.documents import Place
from deployment.iam.operations import Call, UnmappedOperation, needed
from deployment.iam.policies import Policies
from deployment.iam.policy import Access, Granted, Policy, judge

type Record = Callable[[str, Granted], None]
"""Hears which grant of which role, by its ARN, allowed something."""

_ASSUME: Final = "sts:AssumeRole"


class Refused(Exception):
    """A call is denied; ``code`` is IAM's general name for why, which services spell in their own ways."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


DENIED: Final = "AccessDenied"
UNKNOWN_KEY: Final = "InvalidClientTokenId"


@dataclass(frozen=True, slots=True)
class Session:
    """A role that was assumed, and the session policy it was narrowed by."""

    role_arn: str
    policy: Policy | None


type Sessions = Callable[[str], Session | None]
"""Finds the session behind an access key id."""


def no_sessions(_key_id: str) -> Session | None:
    """Where STS is not served, no key stands for an assumed role."""
    return None


def key_id(role_arn: str) -> str:
    """The access key id that stands for a role: what runs as the role signs with it."""
    digest = hashlib.sha256(role_arn.encode()).digest()
    return "ASIA" + base64.b32encode(digest)[:16].decode()


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a role, and the session policy under which it was assumed."""

    role_arn: str
    session: Policy | None = None


class Door:
    """Judges calls; the account's own key is the administrator's, who may do everything."""

    def __init__(self, policies: Policies, place: Place, *, record: Record, sessions: Sessions = no_sessions) -> None:
        self._policies = policies
        self._place = place
        self._record = record
        self._sessions = sessions
        self._roles = {key_id(arn): Caller(arn) for arn in policies.roles}

    def holder(self, role_arn: str) -> Caller:
        """Whoever a service runs with a role; Refused when there is no such role."""
        if role_arn not in self._policies.roles:
            raise Refused(DENIED, f"the role {role_arn} cannot be assumed: there is none of this name")
        return Caller(role_arn)

    def caller(self, key: str) -> Caller | None:
        """Who signs with a key, None for the administrator; Refused when nobody does."""
        if key == self._place.account:
            return None
        known = self._roles.get(key)
        if known is not None:
            return known
        session = self._sessions(key)
        if session is None or session.role_arn not in self._policies.roles:
            raise Refused(UNKNOWN_KEY, "The security token included in the request is invalid.")
        return Caller(session.role_arn, session.policy)

    def admit(self, caller: Caller | None, call: Call) -> None:
        """Let a call pass; Refused names the first access that is denied."""
        if caller is None:
            return
        try:
            accesses = needed(call, self._place)
        except UnmappedOperation as error:
            raise Refused(DENIED, str(error)) from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Refused(DENIED, f"{call.operation} is denied: its parameters cannot be read ({error!r})") from error
        for access in accesses:
            self._admit(caller, access)
            if access.action == _ASSUME:
                self._trusted(caller, access)

    def allows(self, caller: Caller | None, access: Access) -> bool:
        """Whether a single access is granted."""
        try:
            if caller is not None:
                self._admit(caller, access)
        except Refused:
            return False
        return True

    def _admit(self, caller: Caller, access: Access) -> None:
        verdict = judge(self._policies.roles[caller.role_arn].policy, caller.session, access)
        if not verdict.allowed:
            because = (
                "with an explicit deny in a policy"
                if verdict.explicit
                else f"because no identity-based or session policy allows the {access.action} action"
            )
            raise Refused(
                DENIED,
                f"{_user(caller)} is not authorized to perform: {access.action} on resource: {access.resource} {because}",
            )
        for granted in verdict.granted:
            self._record(caller.role_arn, granted)

    def _trusted(self, caller: Caller, access: Access) -> None:
        """The role too has to name who assumes it; in one account AWS would be content with that alone."""
        target = self._policies.roles.get(access.resource)
        if target is None or caller.role_arn not in target.trusted:
            raise Refused(
                DENIED,
                f"{_user(caller)} is not authorized to perform: {_ASSUME} on resource: {access.resource} because its trust policy does not name the role",
            )


def session_policy(text: str) -> Policy:
    """A session policy as STS is given it."""
    document: Mapping[str, object] = json.loads(text)
    return Policy([document])


def _user(caller: Caller) -> str:
    account, name = caller.role_arn.split(":")[4], caller.role_arn.rpartition("/")[2]
    return f"User: arn:aws:sts::{account}:assumed-role/{name}/embedded"
