"""The declaration's grants as IAM documents of one account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from deployment.roles import AccountRole
from discord_agent.declaration import Grant, Kind, Ref, System

type Json = dict[str, Any]

VERSION: Final = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a system lies; ``buckets`` are names by key where they differ from the declared ones."""

    account: str
    region: str
    buckets: Mapping[str, str] = field(default_factory=dict)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, name: str) -> str:
        """The ARN of a role."""
        return f"arn:aws:iam::{self.account}:role/{name}"


@dataclass(frozen=True, slots=True)
class Arns:
    """What references stand for in grants."""

    system: System
    place: Place

    def resource(self, ref: Ref) -> str:
        """The ARN of what a reference of a grant names, narrowed or widened by its path."""
        if ref.kind is Kind.ANYTHING:
            return "*"
        separator = "/" if ref.path and ref.kind in (Kind.BUCKET, Kind.TABLE) else ""
        return self._arn(ref) + separator + ref.path

    def _arn(self, ref: Ref) -> str:
        system, place = self.system, self.place
        arns: dict[Kind, Callable[[str], str]] = {
            Kind.TABLE: lambda key: place.arn("dynamodb", f"table/{system.tables[key].name}"),
            Kind.QUEUE: lambda key: place.arn("sqs", system.queues[key].name),
            Kind.BUCKET: lambda key: f"arn:aws:s3:::{place.buckets.get(key, system.buckets[key].name)}",
            Kind.FUNCTION: lambda key: place.arn("lambda", f"function:{system.functions[key].physical_name}"),
            Kind.MACHINE: lambda key: place.arn("states", f"stateMachine:{system.machines[key].physical_name}"),
            Kind.SECRET: lambda key: place.arn("ssm", f"parameter/{system.secrets[key].removeprefix('/')}"),
            Kind.ROLE: lambda key: place.role_arn(system.roles[key].name),
            Kind.LOG_GROUP: lambda key: place.arn("logs", f"log-group:{key}"),
            Kind.IMAGE: lambda key: place.arn("ecr", f"repository/{_owner(system, key)}"),
        }
        return arns[ref.kind](ref.key)

    def policy(self, role: AccountRole) -> Json:
        """The policy document of a role; without a statement when it is granted nothing."""
        return {"Version": VERSION, "Statement": [self._statement(grant) for grant in role.grants]}

    def trust(self, role: AccountRole, roles: Mapping[str, AccountRole]) -> Json:
        """The trust policy of a role: the service that runs it, or the roles that assume it."""
        principal: Json = {"Service": role.service}
        if not role.service:
            principal = {"AWS": [self.place.role_arn(roles[key].name) for key in role.assumed_by]}
        return {
            "Version": VERSION,
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }

    def _statement(self, grant: Grant) -> Json:
        return {
            "Effect": "Allow",
            "Action": list(grant.actions),
            "Resource": [self.resource(ref) for ref in grant.resources],
        }


def _owner(system: System, key: str) -> str:
    owner = system.services.get(key) or system.functions[key]
    return owner.physical_name
