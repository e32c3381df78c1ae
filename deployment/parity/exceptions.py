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

EXCEPTIONS: Final = (
    *(
        Meant(kind, path, "Retain", ABSENT, _KEPT)
        for kind in ("table", "bucket", "key")
        for path in ("DeletionPolicy", "UpdateReplacePolicy")
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


def unmeant(differences: Iterable[Difference]) -> list[Difference]:
    """The differences that nothing here explains."""
    return [each for each in differences if not any(exception.covers(each) for exception in EXCEPTIONS)]
