"""Log groups: made before whoever writes to them, so that nobody makes them without an end."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


def add_log_group(scope: Construct, name: str, group: str, days: int, key: str | None) -> logs.CfnLogGroup:
    """A log group that keeps what is written for some days, and goes with its stack."""
    made = logs.CfnLogGroup(scope, f"{name}Logs", log_group_name=group, retention_in_days=days, kms_key_id=key)
    made.apply_removal_policy(RemovalPolicy.DESTROY)
    return made
