"""What a deployment is expected to be in an account: names, ARNs, and the variables of environments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from deployment.settings import Settings
from discord_agent.declaration import ALIAS, Function, Kind, Machine, Ref, Service, System

_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


@dataclass(frozen=True, slots=True)
class Expected:
    """The declared system with these settings, in an account and a region."""

    system: System
    settings: Settings
    account: str
    region: str

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        name = self.system.buckets["artifacts"].name
        return self.settings["artifact_bucket"] or f"{name}-{self.account}-{self.region}"

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """An ARN of this account."""
        partition = next((each for start, each in _PARTITIONS.items() if self.region.startswith(start)), "aws")
        return f"arn:{partition}:{service}:{self.region if region else ''}:{self.account}:{resource}"

    def live(self, machine: Machine) -> str:
        """The ARN through which a machine's executions are started."""
        return f"{self.arn('states', f'stateMachine:{machine.physical_name}')}:{ALIAS}"

    def wrong_variables(self, owner: Function | Service, actual: dict[str, str]) -> list[str]:
        """The names of variables that are not as declared; further ones are nobody's business."""
        return sorted(name for name, value in owner.environment if not self._matches(value, actual.get(name, "")))

    def _matches(self, declared: Ref | str, actual: str) -> bool:
        if isinstance(declared, str):
            return declared == actual
        if declared.kind is Kind.QUEUE:
            # Queues have more than one address, which differ in the host.
            return actual.endswith(f"/{self.account}/{self.system.queues[declared.key].name}")
        return self.value(declared) == actual

    def value(self, ref: Ref) -> str:
        """What a reference stands for, but for a queue, which has more than one address."""
        system = self.system
        meanings: dict[Kind, Callable[[str], str]] = {
            Kind.TABLE: lambda key: system.tables[key].name,
            Kind.BUCKET: lambda _: self.bucket,
            Kind.SECRET: lambda key: system.secrets[key],
            Kind.FUNCTION: lambda key: f"{system.functions[key].physical_name}:{ALIAS}",
            Kind.MACHINE: lambda key: self.live(system.machines[key]),
            Kind.ROLE: lambda key: self.arn("iam", f"role/{system.roles[key].name}", region=False),
            Kind.PARAMETER: self.settings.parameter,
        }
        return meanings[ref.kind](ref.key)
