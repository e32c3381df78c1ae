"""Where the system is deployed, and what the declaration's references mean there.

Everything has a name of its own, so that one stack refers to what is in another by name: nothing ties their updates together.
"""

from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass, field
from typing import Any, Final

from aws_cdk import Aws

from deployment.dashboard import PLACEHOLDERS
from deployment.figures import FIGURES
from deployment.roles import AccountRole, roles
from deployment.settings import Settings
from discord_agent.declaration import ALIAS, Function, Grant, Kind, Ref, Service, System

type Json = dict[str, Any]

TLS_ONLY: Final = {"Bool": {"aws:SecureTransport": "false"}}


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region that are known when it is deployed; ``repositories`` are the ARNs of where images lie."""

    system: System
    settings: Settings
    repositories: Mapping[str, str] = field(default_factory=dict)

    def with_image(self, key: str, repository: str) -> "Place":
        """The same place, where one more image lies."""
        return replace(self, repositories={**self.repositories, key: repository})

    @property
    def bucket(self) -> str:
        """The name of the bucket; without a choice one that is free for everybody."""
        name = self.system.buckets["artifacts"].name
        return self.settings["artifact_bucket"] or f"{name}-{Aws.ACCOUNT_ID}-{Aws.REGION}"

    def arn(self, ref: Ref) -> str:
        """What a reference means in a statement of a policy."""
        system = self.system
        meanings: dict[Kind, Callable[[str], str]] = {
            Kind.TABLE: lambda key: arn("dynamodb", f"table/{system.tables[key].name}"),
            Kind.QUEUE: lambda key: arn("sqs", system.queues[key].name),
            Kind.BUCKET: lambda _: f"arn:{Aws.PARTITION}:s3:::{self.bucket}",
            Kind.SECRET: lambda key: arn("ssm", f"parameter/{system.secrets[key].removeprefix('/')}"),
            Kind.FUNCTION: lambda key: function_arn(system.functions[key].physical_name),
            Kind.MACHINE: lambda key: arn("states", f"stateMachine:{system.machines[key].physical_name}"),
            Kind.ROLE: lambda key: role_arn(system.roles[key].name),
            Kind.LOG_GROUP: lambda key: arn("logs", f"log-group:{key}"),
            Kind.IMAGE: lambda key: self.repositories[key],
            Kind.ANYTHING: lambda _: "*",
        }
        whole = meanings[ref.kind](ref.key)
        separator = "/" if ref.path and ref.kind in (Kind.BUCKET, Kind.TABLE) else ""
        return whole if ref.kind is Kind.ANYTHING else f"{whole}{separator}{ref.path}"

    def environment(self, owner: Function | Service) -> dict[str, str]:
        """The variables of a function or service, by name; empty values are left out."""
        values = {
            name: value if isinstance(value, str) else self._value(value) for name, value in sorted(owner.environment)
        }
        return {name: value for name, value in values.items() if value}

    def name(self, ref: Ref) -> str:
        """What a reference means in a metric's dimension."""
        system = self.system
        return system.queues[ref.key].name if ref.kind is Kind.QUEUE else system.functions[ref.key].physical_name

    def role(self, key: str) -> AccountRole:
        """A role of the account."""
        return roles(self.system)[key]

    def statements(self, grants: tuple[Grant, ...]) -> list[Json]:
        """Grants as statements of a policy."""
        return [
            {"Effect": "Allow", "Action": list(grant.actions), "Resource": [self.arn(ref) for ref in grant.resources]}
            for grant in grants
        ]

    def _value(self, ref: Ref) -> str:
        system = self.system
        meanings: dict[Kind, Callable[[str], str]] = {
            Kind.TABLE: lambda key: system.tables[key].name,
            Kind.QUEUE: lambda key: queue_url(system.queues[key].name),
            Kind.BUCKET: lambda _: self.bucket,
            Kind.SECRET: lambda key: system.secrets[key],
            Kind.FUNCTION: lambda key: f"{system.functions[key].physical_name}:{ALIAS}",
            Kind.MACHINE: lambda key: f"{self.arn(Ref(Kind.MACHINE, key))}:{ALIAS}",
            Kind.ROLE: lambda key: role_arn(system.roles[key].name),
            Kind.PARAMETER: self.settings.parameter,
        }
        return meanings[ref.kind](ref.key)


def arn(service: str, resource: str) -> str:
    """The ARN of something in this account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def here(text: str) -> str:
    """Text of the declaration with this partition, region and account in place."""
    for placeholder, value in zip(PLACEHOLDERS, (Aws.PARTITION, Aws.REGION, Aws.ACCOUNT_ID), strict=True):
        text = text.replace(placeholder, value)
    return text


def role_arn(name: str) -> str:
    """The ARN of a role of this account."""
    return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{name}"


def function_arn(name: str) -> str:
    """The ARN of a function by its physical name."""
    return arn("lambda", f"function:{name}")


def queue_url(name: str) -> str:
    """The URL of a queue of this account and region."""
    return f"https://sqs.{Aws.REGION}.{Aws.URL_SUFFIX}/{Aws.ACCOUNT_ID}/{name}"


def rule_arn() -> str:
    """The ARN of the rule on the status of executions."""
    return arn("events", f"rule/{FIGURES.status_rule.name}")


def logical(key: str) -> str:
    """A key of the declaration as CloudFormation wants names: ``gateway_bridge`` is ``GatewayBridge``."""
    return "".join(word.capitalize() for word in key.replace("-", "_").replace("/", "_").split("_"))
