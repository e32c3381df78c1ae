"""What runs on a stack, wherever it is known from: functions, state machines, who calls them, and services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deployment.iam.policies import Policies
from devstack.aws.clients import Clients
from devstack.aws.functions.model import FunctionSpec
from devstack.aws.http_api import Route
from devstack.aws.names import Endpoints
from devstack.aws.sources import Subscription
from devstack.aws.states.status_events import StatusTarget
from discord_agent.declaration import Package


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A state machine as it is called: by its ARN, or through an alias."""

    key: str
    name: str
    arn: str
    role: str
    definition: str
    alias: str


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A program that always runs: a Python module, started in ``folder`` with the variables in ``environment``.

    A ``bare`` one sees no library that its PYTHONPATH does not name.
    """

    module: str
    folder: Path
    environment: Mapping[str, str]
    role: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """Everything that runs, who calls it, and who may do what; ``queues`` are URLs by key, ``services`` programs by key."""

    functions: tuple[FunctionSpec, ...]
    machines: tuple[MachineSpec, ...]
    subscriptions: tuple[Subscription, ...]
    status_targets: tuple[StatusTarget, ...]
    routes: tuple[Route, ...]
    policies: Policies
    queues: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, ServiceSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """A data plane that answers, and a folder to work in."""

    endpoints: Endpoints
    clients: Clients
    folder: Path


class Origin(Protocol):
    """Where a stack has what runs on it from; ``packages`` are those whose functions share a template."""

    packages: frozenset[Package]

    def check(self) -> None:
        """Before anything starts: StackError when it is known already that nothing can run."""
        ...

    def bring_up(self, site: Site) -> Workload:
        """Make on the site what is to be there, and say what runs on it."""
        ...
