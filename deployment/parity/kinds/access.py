"""Roles with their policies, and the key."""

from typing import Final

from deployment.parity.kinds.model import As, Kind, Mapped, Part, by, computed
from deployment.parity.values import Value, policy


def _policies(policies: Value) -> Value:
    return {each["PolicyName"]: policy(each["PolicyDocument"]) for each in policies}


KINDS: Final = (
    Kind(
        "role",
        "AWS::IAM::Role",
        by("RoleName"),
        defaults={"Path": "/", "MaxSessionDuration": 3600},
        reads={"AssumeRolePolicyDocument": policy, "Policies": _policies},
    ),
    Kind(
        "key",
        "AWS::KMS::Key",
        by("Description"),
        defaults={
            "EnableKeyRotation": False,
            "RotationPeriodInDays": 365,
            "Enabled": True,
            "MultiRegion": False,
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
        },
        reads={"KeyPolicy": policy},
    ),
    Kind("key alias", "AWS::KMS::Alias", by("AliasName")),
)

MAPPED: Final = (
    Mapped(
        "aws_iam_role",
        (
            Part(
                "role",
                {
                    "name": "RoleName",
                    "description": "Description",
                    "path": "Path",
                    "max_session_duration": "MaxSessionDuration",
                    "permissions_boundary": "PermissionsBoundary",
                    "managed_policy_arns": "ManagedPolicyArns",
                    "assume_role_policy": As("AssumeRolePolicyDocument", policy),
                },
            ),
        ),
        # An inline policy is a resource of its own here.
        computed("create_date", "unique_id", "inline_policy"),
    ),
    Mapped(
        "aws_iam_role_policy",
        (
            Part(
                "role",
                {"role": "RoleName", "name": "PolicyName", "policy": As("PolicyDocument", policy)},
                finish=lambda said: {
                    "RoleName": said["RoleName"],
                    "Policies": {said["PolicyName"]: said["PolicyDocument"]},
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_kms_key",
        (
            Part(
                "key",
                {
                    "description": "Description",
                    "enable_key_rotation": "EnableKeyRotation",
                    "rotation_period_in_days": "RotationPeriodInDays",
                    "is_enabled": "Enabled",
                    "multi_region": "MultiRegion",
                    "customer_master_key_spec": "KeySpec",
                    "key_usage": "KeyUsage",
                    "policy": As("KeyPolicy", policy),
                },
            ),
        ),
        computed("key_id"),
    ),
    Mapped(
        "aws_kms_alias",
        (Part("key alias", {"name": "AliasName", "target_key_id": "TargetKeyId"}),),
        computed("target_key_arn"),
    ),
)
