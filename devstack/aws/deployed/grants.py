"""What a deployed system's roles may do, read back from the emulator's IAM."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deployment.iam.policies import Policies
from devstack.aws.clients import Clients
from discord_agent.declaration import PREFIX

type Json = Mapping[str, Any]

_OURS: Final = f"{PREFIX}-"


def policies(clients: Clients) -> Policies:
    """The policies of every role of the system, inline and attached; UnreadablePolicy names what is not evaluated."""
    iam = clients.get("iam")
    roles = [role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    return Policies.of(
        {
            role["Arn"]: (list(_documents(iam, role["RoleName"])), role["AssumeRolePolicyDocument"])
            for role in roles
            if role["RoleName"].startswith(_OURS)
        }
    )


def _documents(iam: Any, role: str) -> Iterator[Json]:
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for attached in page["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
