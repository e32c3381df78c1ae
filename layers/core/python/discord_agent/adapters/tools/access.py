"""Credentials for the sandbox: short-lived, and good for one thread's workspace only."""

import json
import re
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from discord_agent.adapters.workspace.layout import base_bundle_key, control_key, pack_prefix
from discord_agent.domain.conversation import Json
from discord_agent.domain.errors import SandboxUnavailable
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_LIFETIME: Final = timedelta(hours=1)
"""What AWS grants at most to a role that assumes a role."""

_MARGIN: Final = timedelta(minutes=15)
"""Longer than a call of the sandbox can last."""


class Access(Struct, frozen=True):
    """Credentials in the form the sandbox takes them; never logged."""

    fields: tuple[tuple[str, str], ...]
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Access(expires_at={self.expires_at.isoformat()})"


class WorkspaceCredentials:
    """Assumes the workspace role, narrowed to one thread and execution; keeps the credentials while they last."""

    def __init__(self, sts: "STSClient", role_arn: str, bucket: str, clock: Clock) -> None:
        self._sts = sts
        self._role_arn = role_arn
        self._bucket = bucket
        self._clock = clock
        self._cached: dict[tuple[ThreadId, ExecutionId], Access] = {}
        self._lock = threading.Lock()

    def credentials(self, thread: ThreadId, execution: ExecutionId) -> Json:
        """Credentials that last for at least one call of the sandbox; SandboxUnavailable if STS gives none."""
        with self._lock:
            access = self._cached.get((thread, execution))
            if access is None or access.expires_at - _MARGIN < self._clock.now():
                access = self._assume(thread, execution)
                # One run at a time is worked on here; older entries would only lie about.
                self._cached = {(thread, execution): access}
            return dict(access.fields)

    def _assume(self, thread: ThreadId, execution: ExecutionId) -> Access:
        try:
            answer = self._sts.assume_role(
                RoleArn=self._role_arn,
                RoleSessionName=re.sub(r"[^\w+=,.@-]", "-", f"{thread}-{execution}")[:64],
                DurationSeconds=int(_LIFETIME.total_seconds()),
                Policy=json.dumps(session_policy(self._bucket, thread, execution), separators=(",", ":")),
            )
        except (BotoCoreError, ClientError) as error:
            raise SandboxUnavailable(f"no credentials for the workspace: {error}") from error
        granted = answer["Credentials"]
        fields = (
            ("access_key_id", granted["AccessKeyId"]),
            ("secret_access_key", granted["SecretAccessKey"]),
            ("session_token", granted["SessionToken"]),
        )
        return Access(fields, granted["Expiration"])


def session_policy(bucket: str, thread: ThreadId, execution: ExecutionId) -> Json:
    """What the sandbox may do: read this thread's packs, bundle and stop marker, and add packs."""
    arn = f"arn:aws:s3:::{bucket}"
    packs = f"{arn}/{pack_prefix(thread)}*"
    marker = control_key(thread, execution)
    bundle = base_bundle_key(thread)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": [packs, f"{arn}/{bundle}", f"{arn}/{marker}"],
            },
            {
                # The condition makes If-None-Match obligatory: a pack can be added, never replaced.
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": packs,
                "Condition": {"Null": {"s3:if-none-match": "false"}},
            },
            {
                # Without it S3 answers 403 instead of 404 while there is no marker or bundle.
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": arn,
                "Condition": {"StringEquals": {"s3:prefix": [marker, bundle]}},
            },
        ],
    }
