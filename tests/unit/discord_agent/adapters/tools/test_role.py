"""The role that is declared and the policy that narrows it belong together."""

from fnmatch import fnmatchcase

from discord_agent.adapters.tools.access import session_policy
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.system import SYSTEM


def test_the_session_policy_asks_for_nothing_that_the_role_does_not_have() -> None:
    bucket = SYSTEM.buckets["artifacts"].name
    granted = {
        (action, f"arn:aws:s3:::{bucket}" + (f"/{ref.path}" if ref.path else ""))
        for grant in SYSTEM.roles["workspace"].grants
        for action in grant.actions
        for ref in grant.resources
    }
    for statement in session_policy(bucket, ThreadId("1"), ExecutionId("m-2"))["Statement"]:
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            assert any(
                statement["Action"] == action and fnmatchcase(resource, pattern) for action, pattern in granted
            ), resource
