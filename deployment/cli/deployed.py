"""Checks of a deployed system: whether everything declared is there, as declared, and does its work."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
from botocore.exceptions import ClientError

from deployment.cli import bot as bots
from deployment.cli import vault
from deployment.cli.account import Account, code, explained
from deployment.cli.asking import TOKEN
from deployment.cli.checks import Check, Finding, fail, ok, warn
from deployment.cli.expected import Expected
from deployment.figures import FIGURES
from discord_agent.adapters.discord.commands import registered
from discord_agent.declaration import ALIAS, PREFIX, Function
from discord_agent.domain.errors import InvalidSettings

_DEPLOY: Final = "run `discord-agent deploy` again"
_CONNECT: Final = "run `discord-agent connect`"
_RUNBOOK: Final = "docs/RUNBOOK.md says what to do with each"
_MISSING: Final = frozenset(
    {
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "StateMachineDoesNotExist",
        "ClusterNotFoundException",
    }
)
_SHOWN: Final = 5
_PING_PATIENCE: Final = 6.0
_UNSIGNED: Final = b'{"type":1}'


@dataclass(frozen=True, slots=True)
class Deployed:
    """Looks at what there is in an account; ``url`` is where interactions arrive, if not at the API's own address."""

    expected: Expected
    account: Account
    vault: vault.Vault
    url: str = ""

    def is_there(self) -> bool:
        """Whether anything was deployed here, or is about to be."""
        with explained():
            return any(self._configuration(function) for function in self.expected.system.functions.values())

    def checks(self) -> list[Check]:
        """All of them."""
        bridge = [Check("bridge", self._bridge)] if self.expected.settings.on("bridge") else []
        return [
            Check("stacks", self._stacks),
            Check("tables", self._tables),
            Check("queues", self._queues),
            Check("functions", self._functions),
            Check("state machines", self._machines),
            *bridge,
            Check("interactions", self._interactions),
            Check("commands", self._commands),
            Check("dead letters", self._dead_letters),
            Check("alarms", self._alarms),
        ]

    @property
    def api_url(self) -> str:
        """Discord's."""
        return self.expected.settings.parameter("DISCORD_API_URL")

    def interactions_url(self) -> str:
        """Where Discord is to send interactions; InvalidSettings when there is no HTTP API."""
        if self.url:
            return self.url
        with explained():
            pages = self.account.client("apigatewayv2").get_paginator("get_apis").paginate()
            for api in (item for page in pages for item in page["Items"]):
                if api["Name"] == FIGURES.api.name:
                    path = next(function.path for function in self.expected.system.functions.values() if function.path)
                    return f"{api['ApiEndpoint'].rstrip('/')}{path}"
        raise InvalidSettings(
            f"there is no HTTP API {FIGURES.api.name} in {self.account}: run `discord-agent deploy` first"
        )

    def _stacks(self) -> Iterator[Finding]:
        with explained():
            pages = self.account.client("cloudformation").get_paginator("describe_stacks").paginate()
            stacks = {
                stack["StackName"]: stack["StackStatus"]
                for page in pages
                for stack in page["Stacks"]
                if stack["StackName"].startswith(f"{PREFIX}-")
            }
        bad = [f"{name} is {status}" for name, status in stacks.items() if not _is_good(status)]
        if bad:
            yield fail("stacks", "; ".join(bad), f"{_DEPLOY}; the stack's events in CloudFormation tell why")
        else:
            yield ok("stacks", f"{len(stacks)} complete" if stacks else "none")

    def _tables(self) -> Iterator[Finding]:
        client = self.account.client("dynamodb")

        def fault(name: str) -> str:
            status = client.describe_table(TableName=name)["Table"]["TableStatus"]
            if status not in {"ACTIVE", "UPDATING"}:
                return str(status)
            backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
            recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
            return "" if recovery == "ENABLED" else "no point-in-time recovery"

        yield _all("tables", (table.name for table in self.expected.system.tables.values()), fault)

    def _queues(self) -> Iterator[Finding]:
        client = self.account.client("sqs")

        def fault(name: str) -> str:
            client.get_queue_url(QueueName=name)
            return ""

        yield _all("queues", (queue.name for queue in self.expected.system.queues.values()), fault)

    def _functions(self) -> Iterator[Finding]:
        functions = {function.physical_name: function for function in self.expected.system.functions.values()}

        def fault(name: str) -> str:
            found = self._configuration(functions[name])
            if found is None:
                return f"it has no alias {ALIAS}, or is not there"
            if found.get("State", "Active") not in {"Active", "Inactive"}:
                return f"it is {found['State']}"
            wrong = self.expected.wrong_variables(functions[name], found.get("Environment", {}).get("Variables", {}))
            return f"{', '.join(wrong)} not as declared" if wrong else ""

        yield _all("functions", functions, fault)

    def _configuration(self, function: Function) -> dict[str, Any] | None:
        try:
            return dict(
                self.account.client("lambda").get_function_configuration(
                    FunctionName=function.physical_name, Qualifier=ALIAS
                )
            )
        except ClientError as error:
            if code(error) not in _MISSING:
                raise
            return None

    def _machines(self) -> Iterator[Finding]:
        client = self.account.client("stepfunctions")
        machines = {machine.physical_name: machine for machine in self.expected.system.machines.values()}

        def fault(name: str) -> str:
            described = client.describe_state_machine_alias(stateMachineAliasArn=self.expected.live(machines[name]))
            return "" if described.get("routingConfiguration") else f"its alias {ALIAS} leads nowhere"

        yield _all("state machines", machines, fault)

    def _bridge(self) -> Iterator[Finding]:
        client = self.account.client("ecs")
        for service in self.expected.system.services.values():
            with explained():
                answer = client.describe_services(cluster=FIGURES.cluster, services=[service.physical_name])
            found = next((each for each in answer["services"] if each["status"] == "ACTIVE"), None)
            logs = f"see the log group {service.log_group}"
            if found is None:
                yield fail("bridge", "its service is not there", _DEPLOY)
            elif found["runningCount"] >= found["desiredCount"] > 0:
                yield ok("bridge", "running")
            elif found["desiredCount"] == 0:
                yield fail("bridge", "it is switched off: nothing is heard but slash commands and buttons", _DEPLOY)
            else:
                yield fail("bridge", "it does not run", logs)

    def _interactions(self) -> Iterator[Finding]:
        url = self.interactions_url()
        yield answers(url)
        with self._discord() as client:
            endpoint = bots.ask(client).endpoint
        if endpoint == url:
            yield ok("endpoint", "Discord sends interactions here")
        elif endpoint:
            yield fail("endpoint", f"Discord sends interactions to {endpoint}", _CONNECT)
        else:
            yield fail("endpoint", "Discord does not know where to send interactions", _CONNECT)

    def _commands(self) -> Iterator[Finding]:
        with self._discord() as client:
            there = registered(client, bots.ask(client).application_id)
        yield ok("commands", "registered") if there else fail("commands", "not those of this version", _CONNECT)

    def _discord(self) -> Any:
        token = self.vault.read().get(TOKEN, "")
        return bots.connection(self.api_url, bots.clean(token))

    def _dead_letters(self) -> Iterator[Finding]:
        client = self.account.client("sqs")
        declared = self.expected.system.queues.values()
        held = {queue.dead_letters for queue in declared} | {
            function.dead_letters for function in self.expected.system.functions.values()
        }
        counts: dict[str, int] = {}
        with explained():
            for key in sorted(key for key in held if key):
                name = self.expected.system.queues[key].name
                url = client.get_queue_url(QueueName=name)["QueueUrl"]
                attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])[
                    "Attributes"
                ]
                counts[name] = int(attributes["ApproximateNumberOfMessages"])
        full = [f"{count} in {name}" for name, count in counts.items() if count]
        if full:
            yield warn("dead letters", "; ".join(full), _RUNBOOK)
        else:
            yield ok("dead letters", "none")

    def _alarms(self) -> Iterator[Finding]:
        with explained():
            pages = (
                self.account.client("cloudwatch")
                .get_paginator("describe_alarms")
                .paginate(AlarmNamePrefix=f"{PREFIX}-")
            )
            alarms = {alarm["AlarmName"]: alarm["StateValue"] for page in pages for alarm in page["MetricAlarms"]}
        sounding = sorted(name for name, state in alarms.items() if state == "ALARM")
        if sounding:
            yield fail("alarms", f"{', '.join(sounding)} sound", _RUNBOOK)
        elif alarms:
            yield ok("alarms", f"{len(alarms)}, all quiet")
        else:
            yield warn("alarms", "there are none", _DEPLOY)


def answers(url: str) -> Finding:
    """Whether the endpoint turns away what Discord did not sign, as it must; a PING that is signed only Discord can send."""
    try:
        status = httpx.post(url, content=_UNSIGNED, timeout=_PING_PATIENCE).status_code
    except httpx.HTTPError as error:
        return fail("interactions", f"{url} gives no answer ({type(error).__name__})", _DEPLOY)
    if status == HTTPStatus.UNAUTHORIZED:
        return ok("interactions", f"{url} answers, and asks for Discord's signature")
    logs = f"see the log group /aws/lambda/{PREFIX}-interactions"
    return fail("interactions", f"{url} answers {status} to what nobody signed, not 401", logs)


def _all(name: str, things: Iterable[str], fault: Callable[[str], str]) -> Finding:
    """One finding for many things of a kind."""
    found: dict[str, str] = {}
    names = list(things)
    with explained():
        for thing in names:
            try:
                found[thing] = fault(thing)
            except ClientError as error:
                if code(error) not in _MISSING:
                    raise
                found[thing] = "it is not there"
    bad = [f"{thing}: {what}" for thing, what in found.items() if what]
    if not bad:
        return ok(name, f"{len(names)}, as declared")
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    return fail(name, "; ".join(bad[:_SHOWN]) + more, _DEPLOY)


def _is_good(status: str) -> bool:
    return status.endswith("_COMPLETE") and "ROLLBACK" not in status
