"""What may differ, and why. Each names the exact values of both sides: anything else in its place is a difference."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from deployment.parity.inventory import ABSENT, Difference
from deployment.parity.values import Value


@dataclass(frozen=True, slots=True)
class Meant:
    """A difference that is meant; ``path`` "" is the whole thing, ``name`` "" any of its kind."""

    kind: str
    path: str
    cdk: Value
    terraform: Value
    reason: str
    name: str = ""

    def covers(self, difference: Difference) -> bool:
        """Whether this is the difference that is meant."""
        return (
            self.kind == difference.kind
            and self.name in ("", difference.name)
            and self.path == difference.path
            and self.cdk == difference.cdk
            and self.terraform == difference.terraform
        )


_KEPT: Final = "CloudFormation keeps what a stack leaves by this policy; Terraform by deletion protection and keep_data"

_OLD: Final = "old versions stay with both tools; Terraform publishes new ones with the function or machine itself"

EXCEPTIONS: Final = (
    *(
        Meant(kind, path, "Retain", ABSENT, _OLD)
        for kind in ("function version", "machine version")
        for path in ("DeletionPolicy", "UpdateReplacePolicy")
    ),
    *(
        Meant(kind, path, policy, ABSENT, _KEPT)
        for kind in ("table", "bucket", "key")
        for path, policy in (("DeletionPolicy", "RetainExceptOnCreate"), ("UpdateReplacePolicy", "Retain"))
    ),
    Meant(
        "stack",
        "",
        ABSENT,
        {
            "StackName": "discord-agent-sandbox",
            "Description": "The sandbox, which Terraform's provider cannot describe.",
        },
        "the provider cannot say that a function isolates tenants, so Terraform has CloudFormation make the sandbox",
        "discord-agent-sandbox",
    ),
)


TERRAFORMS_OWN: Final = {
    "aws_s3_bucket.packages": "the CDK's bootstrap has such a bucket",
    "aws_s3_bucket_policy.packages": "of that bucket",
    "aws_s3_bucket_public_access_block.packages": "of that bucket",
    "aws_s3_bucket_server_side_encryption_configuration.packages": "of that bucket",
    "aws_s3_object.layer": "the CDK uploads its assets before it deploys",
    "aws_ecr_repository.image": "the CDK's bootstrap has such a repository",
    "aws_ecr_lifecycle_policy.image": "of that repository",
    "terraform_data.image": "the CDK builds images before it deploys; this is nothing in AWS",
    "terraform_data.ready": "checks before anything is made; this is nothing in AWS",
}
"""Addresses of what only Terraform needs, and why."""


def own(address: str) -> bool:
    """Whether only Terraform needs what is at an address."""
    return address.partition("[")[0] in TERRAFORMS_OWN


def unmeant(differences: Iterable[Difference]) -> list[Difference]:
    """The differences that nothing here explains."""
    return [each for each in differences if not any(exception.covers(each) for exception in EXCEPTIONS)]
