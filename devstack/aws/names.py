"""Names, ARNs and URLs of what the declaration declares, and the environments made of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypedDict

from devstack.aws.access.door import key_id
from devstack.aws.errors import StackError
from discord_agent.declaration import ALIAS, Function, Kind, Ref, Service, System
from discord_agent.domain.errors import InvalidSettings

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"


class Credentials(TypedDict):
    """What a client signs with; the embedded AWS checks no signature."""

    aws_access_key_id: str
    aws_secret_access_key: str


def credentials() -> Credentials:
    """Credentials of the account's administrator; the data plane takes the account from the key's id."""
    return {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "embedded"}


def credentials_of(role: str) -> Credentials:
    """Credentials that stand for a role, by its ARN."""
    return {"aws_access_key_id": key_id(role), "aws_secret_access_key": "embedded"}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the three services listen."""

    data: str
    states: str
    functions: str

    def environment(self, role: str = "") -> dict[str, str]:
        """What points plain boto3 of another process at the embedded AWS, as a role or as the administrator."""
        keys = credentials_of(role) if role else credentials()
        return {
            "AWS_ENDPOINT_URL": self.data,
            "AWS_ENDPOINT_URL_SFN": self.states,
            "AWS_ENDPOINT_URL_LAMBDA": self.functions,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def function_arn(name: str) -> str:
    """The ARN of a function by its physical name."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def machine_arn(name: str) -> str:
    """The ARN of a state machine by its physical name."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"


def execution_arn(machine: str, name: str) -> str:
    """The ARN of an execution by its machine's physical name and its own."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}"


def machine_of(execution: str) -> str:
    """The ARN of the machine that an execution runs, from the execution's ARN."""
    return machine_arn(execution.split(":")[6])


def role_arn(name: str) -> str:
    """The ARN of a role."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@dataclass(frozen=True, slots=True)
class Resolver:
    """Turns references of the declaration into what they stand for here."""

    system: System
    parameters: Mapping[str, str]
    data_url: str

    def queue_url(self, key: str) -> str:
        """The URL of a declared queue."""
        return f"{self.data_url}/{ACCOUNT}/{self.system.queues[key].name}"

    def queue_arn(self, key: str) -> str:
        """The ARN of a declared queue."""
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.system.queues[key].name}"

    def parameter(self, name: str) -> str:
        """A deployment parameter's value, given or default; InvalidSettings when there is no such parameter."""
        if name in self.parameters:
            return self.parameters[name]
        if name not in self.system.parameters:
            raise InvalidSettings(f"{name} is no declared parameter: add it to PARAMETERS in discord_agent/choices.py")
        return self.system.parameters[name]

    def value(self, reference: Ref) -> str:
        """What a reference means in an environment variable."""
        system = self.system
        meanings: dict[Kind, Callable[[str], str]] = {
            Kind.TABLE: lambda key: system.tables[key].name,
            Kind.BUCKET: lambda key: system.buckets[key].name,
            Kind.FUNCTION: lambda key: f"{system.functions[key].physical_name}:{ALIAS}",
            Kind.SECRET: lambda key: system.secrets[key],
            Kind.QUEUE: self.queue_url,
            Kind.MACHINE: lambda key: f"{machine_arn(system.machines[key].physical_name)}:{ALIAS}",
            Kind.ROLE: lambda key: role_arn(system.roles[key].name),
            Kind.PARAMETER: self.parameter,
        }
        return meanings[reference.kind](reference.key)

    def environment(self, owner: Function | Service) -> dict[str, str]:
        """The declared environment of a function or service; empty values are left out."""
        resolved = {
            name: value if isinstance(value, str) else self._named(owner, name, value)
            for name, value in owner.environment
        }
        return {name: value for name, value in resolved.items() if value}

    def _named(self, owner: Function | Service, name: str, reference: Ref) -> str:
        try:
            return self.value(reference)
        except KeyError as error:
            raise StackError(
                f"{name} of {owner.name} refers to the {reference.kind} {reference.key},"
                " which the declaration does not have"
            ) from error
