"""The embedded AWS: a whole system running on this machine, and spoken to as AWS is."""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import replace
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from deployment.iam.documents import Place
from devstack.aws.access.door import Door
from devstack.aws.access.used import USED_GRANTS, recorder
from devstack.aws.clients import Clients, RoleClients
from devstack.aws.data_folder import DataFolder
from devstack.aws.data_plane import DataPlane
from devstack.aws.errors import StackError
from devstack.aws.functions.api import InvokeApi
from devstack.aws.functions.faults import FunctionFaults
from devstack.aws.functions.in_process import InProcessHost
from devstack.aws.functions.invoker import Invoker, admitted
from devstack.aws.functions.libraries import LIBRARIES
from devstack.aws.functions.model import FunctionHost, FunctionSpec, Invocation, LogSink
from devstack.aws.functions.process_host import ProcessHost
from devstack.aws.functions.templates import Templates
from devstack.aws.http import HttpService
from devstack.aws.http_api import HttpApi
from devstack.aws.interpreter.mend import mend_interpreter
from devstack.aws.interpreter.platform import Platform
from devstack.aws.interpreter.tokens import TaskTokens
from devstack.aws.logs import Logs
from devstack.aws.memory import Memory, measure
from devstack.aws.names import ACCOUNT, REGION, Endpoints
from devstack.aws.sources import Poller
from devstack.aws.states.api import StatesApi
from devstack.aws.states.machines import Machines
from devstack.aws.states.service import StatesService
from devstack.aws.states.status_events import StatusEvents
from devstack.aws.states.store import ExecutionStore
from devstack.aws.workload import MachineSpec, Origin, ServiceSpec, Site, Workload
from discord_agent.settings import environment

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
    clients: Clients
    roles: RoleClients
    workload: Workload
    host: FunctionHost
    invoker: Invoker
    states: StatesService
    reports: StatusEvents
    api_url: str

    def function(self, key: str) -> FunctionSpec:
        """The function of this key."""
        return next(spec for spec in self.workload.functions if spec.key == key)


class LocalAws:
    """What ``origin`` brings up, running; everything listens on the loopback interface, nothing outlives ``stop``.

    ``data`` keeps the state across restarts, None keeps nothing. ``time_scale`` shortens waits and pauses of state
    machines and of asynchronous retries, ``token_time_scale`` the time-outs of tasks that wait for a token. ``faults``
    disturb calls of functions. ``templates`` shares the libraries that function processes import; without them every
    cold start imports all it needs, as on AWS.
    """

    def __init__(  # noqa: PLR0913 (independent choices of the caller, each with a default)
        self,
        origin: Origin,
        *,
        data: Path | None = None,
        mode: Mode = "process",
        templates: bool = sys.platform == "linux",
        ports: Ports | None = None,
        time_scale: float = 1.0,
        token_time_scale: float = 1.0,
        idle_seconds: float = 600.0,
        autosave_seconds: float = 2.0,
        faults: FunctionFaults | None = None,
        on_log: LogSink | None = None,
    ) -> None:
        self._origin = origin
        self._data = data
        self._mode = mode
        self._templates = templates
        self._ports = ports or Ports()
        self._time_scale = time_scale
        self._token_time_scale = token_time_scale
        self._idle_seconds = idle_seconds
        self._autosave_seconds = autosave_seconds
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
        self._origin.check()
        try:
            self._start()
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

    def clients_of(self, role: str) -> Clients:
        """Clients that sign as a role, by its ARN."""
        return self._running.roles.of(role)

    def queue_url(self, key: str) -> str:
        """The URL of a queue."""
        return self._running.workload.queues[key]

    def machine_arn(self, key: str) -> str:
        """The ARN of a state machine."""
        return next(machine.arn for machine in self._running.workload.machines if machine.key == key)

    def environment(self, name: str) -> dict[str, str]:
        """What a function or service finds in its environment, the runtime's own variables left out."""
        services = self._running.workload.services
        return dict(services[name].environment if name in services else self._running.function(name).environment)

    def service(self, key: str) -> ServiceSpec:
        """What a service runs."""
        return self._running.workload.services[key]

    @property
    def api_url(self) -> str:
        """Where the HTTP API is."""
        return self._running.api_url

    def invoke(self, function: str, event: object, tenant: str | None = None) -> Invocation:
        """Call a function by its key and wait; InvocationRefused when Lambda would not run it."""
        reference = self._running.function(function).arn
        return self._running.invoker.invoke(reference, json.dumps(event).encode(), tenant=tenant)

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

    def _start(self) -> None:
        cleanup = self._cleanup
        folder = cleanup.enter_context(DataFolder(self._data or self._temporary_folder("aws")))
        logs = Logs(folder.path / "logs", self._on_log)
        cleanup.callback(logs.close)
        plane = DataPlane(
            folder.path / "aws", port=self._ports.data, autosave_seconds=self._autosave_seconds, log=logs.write
        )
        cleanup.callback(plane.stop)
        plane.start(lock=folder.lock)
        store = ExecutionStore(folder.path / "executions.sqlite")
        cleanup.callback(store.close)
        # Functions are told the addresses of all services before any of these answers.
        functions_http = HttpService(port=self._ports.functions, name="lambda")
        cleanup.callback(functions_http.stop)
        states_http = HttpService(port=self._ports.states, name="states")
        cleanup.callback(states_http.stop)
        api_http = HttpService(name="api")
        cleanup.callback(api_http.stop)
        templates = self._start_templates(logs)
        with ThreadPoolExecutor(1, thread_name_prefix="start") as beside:
            # Loading the interpreter and starting the data plane take a second each.
            ready = beside.submit(plane.await_ready)
            mend_interpreter()
            ready.result()
        endpoints = Endpoints(plane.url, states_http.url, functions_http.url)
        clients = Clients(endpoints)
        workload = _reaching(endpoints, self._origin.bring_up(Site(endpoints, clients, folder.path)))
        plane.enforce(workload.policies)
        door = Door(workload.policies, Place(ACCOUNT, REGION), record=recorder(environment().get(USED_GRANTS, "")))
        host = self._host(workload, templates, logs)
        self._parts = parts = self._run(endpoints, clients, workload, host, store, door, api_http.url)
        functions_http.start(InvokeApi(parts.invoker, door))
        states_http.start(StatesApi(parts.states, door))
        api_http.start(HttpApi(workload.routes, parts.invoker.invoke))
        self._consume(parts, logs)

    def _temporary_folder(self, purpose: str) -> Path:
        folder = tempfile.TemporaryDirectory(prefix=f"{purpose}-", ignore_cleanup_errors=True)
        return Path(self._cleanup.enter_context(folder))

    def _start_templates(self, logs: Logs) -> Templates | None:
        if self._mode == "in_process" or not self._templates or not self._origin.packages:
            return None
        libraries = {package: LIBRARIES[package] for package in self._origin.packages}
        templates = Templates(libraries, self._temporary_folder("templates"), logs.write)
        self._cleanup.callback(templates.stop)
        templates.start()
        return templates

    def _host(self, workload: Workload, templates: Templates | None, logs: Logs) -> FunctionHost:
        host = self._make_host(workload, templates, logs)
        host.start()
        self._cleanup.callback(host.stop)
        return host

    def _make_host(self, workload: Workload, templates: Templates | None, logs: Logs) -> FunctionHost:
        if self._mode == "in_process":
            return InProcessHost(workload.functions)
        work = self._temporary_folder("lambda")
        return ProcessHost(work, idle_seconds=self._idle_seconds, log=logs.write, templates=templates)

    def _run(
        self,
        endpoints: Endpoints,
        clients: Clients,
        workload: Workload,
        host: FunctionHost,
        store: ExecutionStore,
        door: Door,
        api_url: str,
    ) -> _Running:
        roles = RoleClients(endpoints)

        def bury(role: str, queue: str, event: bytes) -> None:
            roles.of(role).sqs().send_message(QueueUrl=queue, MessageBody=event.decode())

        invoker = Invoker(
            host, workload.functions, retry_seconds=_RETRY_SECONDS * self._time_scale, bury=bury, faults=self._faults
        )
        self._cleanup.callback(invoker.stop)
        reports = StatusEvents(invoker, store, workload.status_targets)
        platform = Platform(
            admitted(invoker, door),
            lambda role, service: roles.of(role).get(service),
            TaskTokens(),
            self._time_scale,
            self._token_time_scale,
        )
        states = StatesService(platform, store, reports.report)
        self._cleanup.callback(states.halt)
        for machine in workload.machines:
            _make(states.machines, machine)
        return _Running(endpoints, clients, roles, workload, host, invoker, states, reports, api_url)

    def _consume(self, parts: _Running, logs: Logs) -> None:
        """Deliver what an earlier process left behind, and begin to poll."""
        parts.reports.report_former()
        for subscription in parts.workload.subscriptions:
            own = parts.roles.of(parts.invoker.spec(subscription.function).role)
            poller = Poller(subscription, own.sqs(), parts.invoker, logs.write)
            self._cleanup.callback(poller.stop)
            poller.start()


def _make(machines: Machines, spec: MachineSpec) -> None:
    """The machine, published, with its alias."""
    made = machines.create({"name": spec.name, "definition": spec.definition, "roleArn": spec.role, "publish": True})
    routes = [{"stateMachineVersionArn": made["stateMachineVersionArn"], "weight": 100}]
    machines.create_alias({"name": spec.alias, "routingConfiguration": routes})


def _reaching(endpoints: Endpoints, workload: Workload) -> Workload:
    """The workload with all it takes to find the stack and to be known there, which is nothing of its own."""
    return replace(
        workload,
        functions=tuple(
            replace(spec, environment={**endpoints.environment(spec.role), **spec.environment})
            for spec in workload.functions
        ),
        services={
            key: replace(service, environment={**endpoints.environment(service.role), **service.environment})
            for key, service in workload.services.items()
        },
    )
