"""A system as it is declared: made by the stack itself, and run from the source tree."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deployment.iam.documents import Arns, Place
from deployment.iam.policies import declared
from deployment.roles import roles
from devstack.aws.errors import MissingDefinition
from devstack.aws.functions.model import FunctionSpec
from devstack.aws.functions.path import python_only
from devstack.aws.http_api import Route
from devstack.aws.names import ACCOUNT, REGION, Resolver, function_arn, machine_arn, role_arn
from devstack.aws.provision import Provision
from devstack.aws.sources import Subscription
from devstack.aws.states.status_events import StatusTarget, is_bad_end
from devstack.aws.workload import MachineSpec, ServiceSpec, Site, Workload
from discord_agent.declaration import ALIAS, Function, Package, System
from discord_agent.statemachines import substituted

_HANDLER: Final = "handler.handler"


class Declared:
    """Makes a system from its declaration, and has it run from ``root``.

    ``secrets`` are values by the declaration's keys, ``parameters`` override its deployment parameters. ``visibility``
    replaces every queue's visibility timeout (seconds). ``programs`` is a folder whose programs the sandbox finds
    first. ``reserved`` limits the concurrency of functions by key.
    """

    def __init__(  # noqa: PLR0913 (independent choices of the caller, each with a default)
        self,
        system: System,
        *,
        root: Path,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        functions_root: Path | None = None,
        machines_root: Path | None = None,
        visibility: int | None = None,
        programs: Path | None = None,
        reserved: Mapping[str, int] | None = None,
    ) -> None:
        self.packages = frozenset(function.package for function in system.functions.values())
        self._system = system
        self._root = root
        self._parameters = parameters or {}
        self._secrets = secrets or {}
        self._functions_root = functions_root or root / "functions"
        self._machines_root = machines_root or root / "statemachines"
        self._visibility = visibility
        self._programs = programs
        self._reserved = reserved or {}

    def check(self) -> None:
        """MissingDefinition names every file that is not there."""
        handlers = [self._functions_root / name / "handler.py" for name in self._system.functions]
        definitions = map(self._definition_file, self._system.machines)
        missing = [path for path in (*definitions, *handlers) if not path.is_file()]
        if missing:
            raise MissingDefinition(
                f"declared, but not there: {', '.join(map(str, missing))}; write them, or take them out of the declaration"
            )

    def bring_up(self, site: Site) -> Workload:
        """Make tables, queues and the rest; what runs is what the declaration says."""
        system = self._system
        resolver = Resolver(system, self._parameters, site.endpoints.data)
        Provision(system, site.clients, resolver, secrets=self._secrets, visibility=self._visibility).run()
        functions = system.functions.values()
        accounts = roles(system)
        return Workload(
            functions=self._functions(resolver, site.folder),
            machines=tuple(map(self._machine, system.machines)),
            subscriptions=tuple(each for function in functions for each in _subscriptions(function, resolver)),
            status_targets=tuple(
                StatusTarget(function.physical_name, is_bad_end)
                for function in functions
                if function.on_execution_status
            ),
            routes=tuple(
                Route("POST", function.path, function.physical_name) for function in functions if function.path
            ),
            policies=declared(Arns(system, Place(ACCOUNT, REGION))),
            queues={key: resolver.queue_url(key) for key in system.queues},
            services={
                key: ServiceSpec(
                    module=service.name,
                    folder=self._root,
                    environment=resolver.environment(service),
                    role=role_arn(accounts[f"service/{key}"].name),
                )
                for key, service in system.services.items()
            },
        )

    def _functions(self, resolver: Resolver, folder: Path) -> tuple[FunctionSpec, ...]:
        python = python_only(folder / "python")
        own = (str(self._programs),) if self._programs else ()
        everything = os.pathsep.join((*own, python, os.environ.get("PATH", os.defpath)))  # noqa: TID251 (passed to a child)
        layer = self._root / "layers" / "core" / "python"
        accounts = roles(self._system)

        def spec(function: Function) -> FunctionSpec:
            is_sandbox = function.package is Package.SANDBOX
            # Also among the variables, for functions that share a process and its PATH.
            path = {"PATH": everything} if is_sandbox and self._programs else {}
            return FunctionSpec(
                key=function.name,
                name=function.physical_name,
                arn=function_arn(function.physical_name),
                role=role_arn(accounts[f"function/{function.name}"].name),
                package=function.package,
                handler=_HANDLER,
                folder=self._functions_root / function.name,
                layers=(layer,),
                environment={**resolver.environment(function), **path},
                path=everything if is_sandbox else python,
                timeout=function.timeout,
                memory=function.memory,
                tenant_isolated=function.tenant_isolated,
                reserved=self._reserved.get(function.name),
                dead_letters=resolver.queue_url(function.dead_letters) if function.dead_letters else None,
            )

        return tuple(map(spec, self._system.functions.values()))

    def _machine(self, key: str) -> MachineSpec:
        machine = self._system.machines[key]
        arns = {
            name: f"{function_arn(self._system.functions[name].physical_name)}:{ALIAS}" for name in machine.functions
        }
        return MachineSpec(
            key=key,
            name=machine.physical_name,
            arn=machine_arn(machine.physical_name),
            role=role_arn(roles(self._system)[f"machine/{key}"].name),
            definition=substituted(self._definition_file(key).read_text(encoding="utf-8"), arns),
            alias=ALIAS,
        )

    def _definition_file(self, key: str) -> Path:
        return self._machines_root / f"{self._system.machines[key].name}.asl.json"


def _subscriptions(function: Function, resolver: Resolver) -> list[Subscription]:
    return [
        Subscription(
            function=function.physical_name,
            queue_url=resolver.queue_url(source.queue),
            queue_arn=resolver.queue_arn(source.queue),
            batch_size=source.batch_size,
            concurrency=source.maximum_concurrency,
        )
        for source in function.sources
    ]
