"""The embedded AWS: everything the declaration declares, running on this machine and spoken to as AWS is."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from devstack.aws.clients import Clients
from devstack.aws.data_folder import DataFolder
from devstack.aws.data_plane import DataPlane
from devstack.aws.errors import MissingDefinition, StackError
from devstack.aws.functions.api import InvokeApi
from devstack.aws.functions.faults import FunctionFaults
from devstack.aws.functions.in_process import InProcessHost
from devstack.aws.functions.invoker import Invoker
from devstack.aws.functions.libraries import LIBRARIES
from devstack.aws.functions.model import FunctionHost, FunctionSpec, Invocation, LogSink
from devstack.aws.functions.path import python_only
from devstack.aws.functions.process_host import ProcessHost
from devstack.aws.functions.templates import Templates
from devstack.aws.http import HttpService
from devstack.aws.interpreter.mend import mend_interpreter
from devstack.aws.interpreter.platform import Platform
from devstack.aws.interpreter.tokens import TaskTokens
from devstack.aws.logs import Logs
from devstack.aws.memory import Memory, measure
from devstack.aws.names import Endpoints, Resolver, function_arn, machine_arn, machine_role_arn
from devstack.aws.provision import Provision
from devstack.aws.sources import Poller, Subscription
from devstack.aws.states.api import StatesApi
from devstack.aws.states.service import StatesService
from devstack.aws.states.status_events import StatusEvents
from devstack.aws.states.store import ExecutionStore
from discord_agent.declaration import ALIAS, Function, Package, System
from discord_agent.statemachines import substituted

type Mode = Literal["process", "in_process"]

_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the services listen; 0 picks a free port."""

    data: int = 0
    states: int = 0
    functions: int = 0


@dataclass(frozen=True, slots=True)
class _Running:
    """The parts of a started stack."""

    endpoints: Endpoints
    resolver: Resolver
    clients: Clients
    host: FunctionHost
    invoker: Invoker
    states: StatesService
    reports: StatusEvents


class LocalAws:
    """Built from a declaration; everything listens on the loopback interface, nothing outlives ``stop``.

    ``data`` keeps the state across restarts, None keeps nothing. ``secrets`` are values by the declaration's keys,
    ``parameters`` override its deployment parameters. ``time_scale`` shortens waits and pauses of state machines and
    of asynchronous retries, ``token_time_scale`` the time-outs of tasks that wait for a token. ``visibility`` replaces
    every queue's visibility timeout (seconds). ``programs`` is a folder whose programs the sandbox finds first. ``reserved`` limits the concurrency of functions by key. ``faults``
    disturb calls of functions. ``templates`` shares the libraries that function processes import; without them every
    cold start imports all it needs, as on AWS.
    """

    def __init__(  # noqa: PLR0913 (independent choices of the caller, each with a default)
        self,
        system: System,
        *,
        root: Path,
        data: Path | None = None,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        mode: Mode = "process",
        templates: bool = sys.platform == "linux",
        functions_root: Path | None = None,
        machines_root: Path | None = None,
        ports: Ports | None = None,
        time_scale: float = 1.0,
        token_time_scale: float = 1.0,
        visibility: int | None = None,
        programs: Path | None = None,
        idle_seconds: float = 600.0,
        autosave_seconds: float = 2.0,
        reserved: Mapping[str, int] | None = None,
        faults: FunctionFaults | None = None,
        on_log: LogSink | None = None,
    ) -> None:
        self._system = system
        self._root = root
        self._data = data
        self._parameters = parameters or {}
        self._secrets = secrets or {}
        self._mode = mode
        self._templates = templates
        self._functions_root = functions_root or root / "functions"
        self._machines_root = machines_root or root / "statemachines"
        self._ports = ports or Ports()
        self._time_scale = time_scale
        self._token_time_scale = token_time_scale
        self._visibility = visibility
        self._programs = programs
        self._idle_seconds = idle_seconds
        self._autosave_seconds = autosave_seconds
        self._reserved = reserved or {}
        self._faults = faults
        self._on_log = on_log
        self._cleanup = ExitStack()
        self._parts: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and provision everything; on return all services answer and queues are consumed."""
        if self._parts is not None:
            raise StackError("the stack runs already")
        definitions = self._definitions()
        try:
            self._start(definitions)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Save and end everything; what runs is reported as aborted at the next start on the same data."""
        self._parts = None
        self._cleanup.close()

    @property
    def endpoints(self) -> dict[str, str]:
        """The environment variables that point another process's boto3 here."""
        return self._running.endpoints.environment()

    @property
    def clients(self) -> Clients:
        """boto3 clients, typed."""
        return self._running.clients

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self._running.clients.get(service)

    def queue_url(self, key: str) -> str:
        """The URL of a declared queue."""
        return self._running.resolver.queue_url(key)

    def machine_arn(self, key: str) -> str:
        """The ARN of a declared state machine."""
        return machine_arn(self._system.machines[key].physical_name)

    def environment(self, name: str) -> dict[str, str]:
        """What a declared function or service finds in its environment, the runtime's own variables left out."""
        running, system = self._running, self._system
        owner = system.functions.get(name) or system.services[name]
        return {**running.endpoints.environment(), **running.resolver.environment(owner)}

    def invoke(self, function: str, event: object, tenant: str | None = None) -> Invocation:
        """Call a declared function and wait; InvocationRefused when Lambda would not run it."""
        name = self._system.functions[function].physical_name
        return self._running.invoker.invoke(name, json.dumps(event).encode(), tenant=tenant)

    def kill(self, function: str) -> int:
        """SIGKILL the function's running environments; how many there were."""
        return self._running.host.kill(function)

    def transitions(self, execution_arn: str) -> int:
        """How many states the execution has entered, as AWS counts and bills them."""
        history = self._running.states.execution(execution_arn).history()
        return sum(str(event["type"]).endswith("StateEntered") for event in history)

    def expire(self, execution_arn: str) -> None:
        """End an execution as if its TimeoutSeconds were over."""
        self._running.states.execution(execution_arn).expire()

    def is_settled(self, execution_arn: str) -> bool:
        """Whether an execution has ended, and whoever hears of failed ones has dealt with it."""
        return self._running.reports.is_settled(execution_arn)

    def running_executions(self) -> list[str]:
        """The ARNs of the executions that run."""
        return self._running.states.running()

    def memory(self) -> Memory:
        """What this process and all its children hold."""
        return measure()

    @property
    def _running(self) -> _Running:
        if self._parts is None:
            raise StackError("the stack is not started")
        return self._parts

    def _start(self, definitions: Mapping[str, str]) -> None:
        cleanup = self._cleanup
        folder = cleanup.enter_context(DataFolder(self._data or self._temporary_folder()))
        logs = Logs(folder.path / "logs", self._on_log)
        cleanup.callback(logs.close)
        plane = DataPlane(
            folder.path / "aws", port=self._ports.data, autosave_seconds=self._autosave_seconds, log=logs.write
        )
        cleanup.callback(plane.stop)
        plane.start(lock=folder.lock)
        with ThreadPoolExecutor(1, thread_name_prefix="start") as beside:
            # Loading the interpreter and starting the data plane take a second each.
            ready = beside.submit(plane.await_ready)
            mend_interpreter()
            parts = self._services(plane, folder.path, logs)
            ready.result()
        Provision(self._system, parts.clients, parts.resolver, secrets=self._secrets, visibility=self._visibility).run()
        self._parts = parts
        for key, definition in definitions.items():
            self._deploy(parts, key, definition)
        self._consume(parts, logs)

    def _temporary_folder(self) -> Path:
        return Path(self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="aws-", ignore_cleanup_errors=True)))

    def _services(self, plane: DataPlane, folder: Path, logs: Logs) -> _Running:
        cleanup = self._cleanup
        store = ExecutionStore(folder / "executions.sqlite")
        cleanup.callback(store.close)
        # Functions are told the addresses of all services before any of these answers.
        functions_http = HttpService(port=self._ports.functions, name="lambda")
        cleanup.callback(functions_http.stop)
        states_http = HttpService(port=self._ports.states, name="states")
        cleanup.callback(states_http.stop)
        endpoints = Endpoints(plane.url, states_http.url, functions_http.url)
        clients = Clients(endpoints)
        resolver = Resolver(self._system, self._parameters, plane.url)

        specs = self._specs(endpoints, resolver, folder)
        host = self._host(specs, logs)
        host.start()
        cleanup.callback(host.stop)
        invoker = Invoker(host, specs, retry_seconds=_RETRY_SECONDS * self._time_scale, faults=self._faults)
        cleanup.callback(invoker.stop)

        targets = [each.physical_name for each in self._system.functions.values() if each.on_execution_status]
        reports = StatusEvents(invoker, store, targets)
        platform = Platform(invoker.invoke, clients.get, TaskTokens(), self._time_scale, self._token_time_scale)
        states = StatesService(platform, store, reports.report)
        cleanup.callback(states.halt)
        functions_http.start(InvokeApi(invoker))
        states_http.start(StatesApi(states))
        return _Running(endpoints, resolver, clients, host, invoker, states, reports)

    def _host(self, specs: list[FunctionSpec], logs: Logs) -> FunctionHost:
        if self._mode == "in_process":
            return InProcessHost(specs)
        work = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="lambda-", ignore_cleanup_errors=True))
        libraries = {spec.package: LIBRARIES[spec.package] for spec in specs}
        templates = Templates(libraries, Path(work), logs.write) if self._templates else None
        return ProcessHost(Path(work), idle_seconds=self._idle_seconds, log=logs.write, templates=templates)

    def _specs(self, endpoints: Endpoints, resolver: Resolver, folder: Path) -> list[FunctionSpec]:
        python = python_only(folder / "python")
        own = (str(self._programs),) if self._programs else ()
        everything = os.pathsep.join((*own, python, os.environ.get("PATH", os.defpath)))  # noqa: TID251 (passed to a child)
        shared = endpoints.environment()
        if self._programs and self._mode == "in_process":
            # The functions share this process, and its PATH.
            shared = {**shared, "PATH": everything}
        layer = self._root / "layers" / "core" / "python"
        return [
            FunctionSpec(
                key=function.name,
                name=function.physical_name,
                arn=function_arn(function.physical_name),
                package=function.package,
                handler="handler.handler",
                folder=self._functions_root / function.name,
                layers=(layer,),
                environment={**shared, **resolver.environment(function)},
                path=everything if function.package is Package.SANDBOX else python,
                timeout=function.timeout,
                memory=function.memory,
                tenant_isolated=function.tenant_isolated,
                reserved=self._reserved.get(function.name),
            )
            for function in self._system.functions.values()
        ]

    def _definitions(self) -> dict[str, str]:
        """The machines' definitions with the functions' ARNs; MissingDefinition names every file that is not there."""
        machines = {
            key: self._machines_root / f"{machine.name}.asl.json" for key, machine in self._system.machines.items()
        }
        handlers = [self._functions_root / name / "handler.py" for name in self._system.functions]
        missing = [path for path in (*machines.values(), *handlers) if not path.is_file()]
        if missing:
            raise MissingDefinition(
                f"declared, but not there: {', '.join(map(str, missing))}; write them, or take them out of the declaration"
            )
        arns = {
            key: f"{function_arn(function.physical_name)}:{ALIAS}" for key, function in self._system.functions.items()
        }
        return {
            key: substituted(
                path.read_text(encoding="utf-8"), {name: arns[name] for name in self._system.machines[key].functions}
            )
            for key, path in machines.items()
        }

    def _deploy(self, parts: _Running, key: str, definition: str) -> None:
        parts.states.create_state_machine(
            {
                "name": self._system.machines[key].physical_name,
                "definition": definition,
                "roleArn": machine_role_arn(),
            }
        )

    def _consume(self, parts: _Running, logs: Logs) -> None:
        """Deliver what an earlier process left behind, and begin to poll."""
        parts.reports.report_former()
        for function in self._system.functions.values():
            for subscription in _subscriptions(function, parts.resolver):
                poller = Poller(subscription, parts.clients.sqs(), parts.invoker, logs.write)
                self._cleanup.callback(poller.stop)
                poller.start()


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
