"""Roles as the declaration has them: inline policies, nothing managed, nothing granted by the CDK's own hand."""

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.findings import meant
from cdk.place import Place, logical, role_arn
from deployment.figures import FIGURES
from deployment.roles import AccountRole

VERSION: Final = "2012-10-17"
LAMBDA: Final = "lambda.amazonaws.com"


def add_role(scope: Construct, place: Place, key: str) -> iam.CfnRole:
    """A role by its key, with its whole policy."""
    role = place.role(key)
    made = iam.CfnRole(
        scope,
        f"{logical(key)}Role",
        role_name=role.name,
        description=role.purpose,
        assume_role_policy_document={
            "Version": VERSION,
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": _takers(place, role)}],
        },
        policies=_policies(place, role),
    )
    _explain(made, place, role)
    return made


def _takers(place: Place, role: AccountRole) -> dict[str, object]:
    if role.service:
        return {"Service": role.service}
    return {"AWS": [role_arn(place.role(taker).name) for taker in role.assumed_by]}


def _policies(place: Place, role: AccountRole) -> list[iam.CfnRole.PolicyProperty] | None:
    """A role without any right has no policy: IAM refuses an empty one."""
    if not role.grants:
        return None
    document = {"Version": VERSION, "Statement": place.statements(role.grants)}
    return [iam.CfnRole.PolicyProperty(policy_name=FIGURES.policy, policy_document=document)]


def _explain(made: iam.CfnRole, place: Place, role: AccountRole) -> None:
    """A wildcard has its reason in the declaration; one without is a finding that stops the synthesis."""
    wide = [grant for grant in role.grants if any("*" in place.arn(ref) for ref in grant.resources)]
    for grant in wide:
        arns = [place.arn(ref) for ref in grant.resources]
        findings = [f"AwsSolutions-IAM5[Resource::{_as_reported(arn)}]" for arn in arns if "*" in arn]
        if grant.reason:
            meant(made, grant.reason, *findings)
    if role.service == LAMBDA and all(grant.reason for grant in wide):
        meant(made, "each wildcard has a reason of its own", "Serverless-LambdaStarPermissions")


def _as_reported(arn: str) -> str:
    named = ((Aws.PARTITION, "Partition"), (Aws.REGION, "Region"), (Aws.ACCOUNT_ID, "AccountId"))
    for value, name in named:
        arn = arn.replace(value, f"<AWS::{name}>")
    return arn
