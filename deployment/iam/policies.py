"""What every role of an account may do, and who may assume it: made from the declaration, or read back from IAM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from deployment.iam.documents import Arns
from deployment.iam.policy import Granted, Json, Policy, principals
from deployment.roles import roles

_DOCUMENTS: Final = "policies"
_TRUST: Final = "trust"


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """A role's policy, and the ARNs of those who may assume it."""

    policy: Policy
    trusted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policies:
    """Roles by ARN; ``documents`` is what they were made of, as JSON."""

    roles: Mapping[str, RolePolicies]
    documents: Mapping[str, Any]

    @classmethod
    def of(cls, found: Mapping[str, tuple[Sequence[Json], Json]]) -> Self:
        """From each role's policy documents and trust policy, by the role's ARN, as IAM gives them."""
        return cls.from_json({arn: {_DOCUMENTS: list(own), _TRUST: trust} for arn, (own, trust) in found.items()})

    @classmethod
    def from_json(cls, documents: Mapping[str, Any]) -> Self:
        """From ``documents`` of another one; UnreadablePolicy."""
        return cls(
            {
                arn: RolePolicies(Policy(found[_DOCUMENTS]), principals(found[_TRUST]))
                for arn, found in documents.items()
            },
            documents,
        )

    def grants(self) -> dict[str, frozenset[Granted]]:
        """What each role is granted, by ARN."""
        return {arn: role.policy.grants for arn, role in self.roles.items()}


def declared(arns: Arns) -> Policies:
    """What the declaration grants in one account."""
    known = roles(arns.system)
    return Policies.of(
        {arns.place.role_arn(role.name): ([arns.policy(role)], arns.trust(role, known)) for role in known.values()}
    )
