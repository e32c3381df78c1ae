"""Who calls deployed functions, read back: event source mappings, rules, HTTP APIs, state machines; and services."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from devstack.aws.clients import Clients
from devstack.aws.deployed.images import Image
from devstack.aws.deployed.policies import lets_in
from devstack.aws.errors import StackError
from devstack.aws.functions.model import LogSink
from devstack.aws.http_api import Route
from devstack.aws.names import ACCOUNT, REGION
from devstack.aws.sources import Subscription
from devstack.aws.states.status_events import Event, StatusTarget
from devstack.aws.workload import MachineSpec, ServiceSpec

_LAMBDA: Final = "arn:aws:lambda:"
_CHANGED_INPUT: Final = ("Input", "InputPath", "InputTransformer")

type Json = dict[str, Any]
type PolicyOf = Callable[[str], str]


class WiringReader:
    """Reads what is there, and leaves out who has no permission; ``policy_of`` is that of a function by its ARN."""

    def __init__(self, clients: Clients, *, policy_of: PolicyOf, key_of: Callable[[str], str], log: LogSink) -> None:
        self._clients = clients
        self._policy_of = policy_of
        self._key_of = key_of
        self._log = log

    def queues(self) -> dict[str, str]:
        """URLs by name."""
        urls = self._clients.sqs().list_queues().get("QueueUrls", [])
        return {url.rpartition("/")[2]: url for url in urls}

    def subscriptions(self) -> Iterator[Subscription]:
        """Enabled mappings; StackError for what is not imitated."""
        urls = self.queues()
        pages = self._clients.get("lambda").get_paginator("list_event_source_mappings").paginate()
        for mapping in (each for page in pages for each in page["EventSourceMappings"]):
            arn = mapping["EventSourceArn"]
            if not arn.startswith("arn:aws:sqs:") or mapping.get("FilterCriteria", {}).get("Filters"):
                raise StackError(f"{mapping['FunctionArn']} is fed from {arn}: only queues without a filter work here")
            if mapping["State"] == "Enabled":
                yield Subscription(
                    function=mapping["FunctionArn"],
                    queue_url=urls[arn.rpartition(":")[2]],
                    queue_arn=arn,
                    batch_size=mapping["BatchSize"],
                    concurrency=mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 10),
                    reports_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ()),
                )

    def status_targets(self) -> Iterator[StatusTarget]:
        """Functions that enabled rules of the default bus call."""
        events = self._clients.get("events")
        for rule in events.list_rules()["Rules"]:
            if rule["State"] != "ENABLED" or not rule.get("EventPattern"):
                continue
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                if not target["Arn"].startswith(_LAMBDA) or any(target.get(name) for name in _CHANGED_INPUT):
                    raise StackError(
                        f"{rule['Name']} targets {target['Arn']}: only functions and whole events work here"
                    )
                if self._may_call(target["Arn"], "events.amazonaws.com", rule["Arn"]):
                    yield StatusTarget(target["Arn"], _matcher(events, rule["EventPattern"]))

    def routes(self) -> Iterator[Route]:
        """Routes of HTTP APIs that a stage serves."""
        gateway = self._clients.get("apigatewayv2")
        for api in gateway.get_apis()["Items"]:
            stages = [stage["StageName"] for stage in gateway.get_stages(ApiId=api["ApiId"])["Items"]]
            if "$default" not in stages:
                continue
            integrations = {
                each["IntegrationId"]: each for each in gateway.get_integrations(ApiId=api["ApiId"])["Items"]
            }
            for route in gateway.get_routes(ApiId=api["ApiId"])["Items"]:
                yield self._route(api["ApiId"], route, integrations)

    def _route(self, api: str, route: Json, integrations: dict[str, Json]) -> Route:
        integration = integrations[route["Target"].removeprefix("integrations/")]
        function = _function_of(integration["IntegrationUri"])
        if (integration["IntegrationType"], integration.get("PayloadFormatVersion")) != ("AWS_PROXY", "2.0"):
            raise StackError(f"the route {route['RouteKey']} has an integration that does not work here")
        method, _, path = route["RouteKey"].partition(" ")
        source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default/{method}{path}"
        may = self._may_call(function, "apigateway.amazonaws.com", source)
        return Route(method, path, function, "" if may else "the function's policy does not let the API in")

    def _may_call(self, function: str, service: str, source: str) -> bool:
        may = lets_in(self._policy_of(function), service=service, source=source, account=ACCOUNT)
        if not may:
            self._log("deployed", f"{service} may not call {function} for {source}: its policy does not allow it")
        return may

    def machines(self) -> Iterator[MachineSpec]:
        """State machines that have an alias, as the version behind it."""
        states = self._clients.get("stepfunctions")
        for machine in states.list_state_machines()["stateMachines"]:
            arn = machine["stateMachineArn"]
            for listed in states.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]:
                alias = states.describe_state_machine_alias(stateMachineAliasArn=listed["stateMachineAliasArn"])
                routes = [route["stateMachineVersionArn"] for route in alias["routingConfiguration"] if route["weight"]]
                if len(routes) > 1:
                    raise StackError(
                        f"{listed['stateMachineAliasArn']} is shared by versions, which does not work here"
                    )
                version = states.describe_state_machine(stateMachineArn=routes[0])
                yield MachineSpec(
                    key=self._key_of(machine["name"]),
                    name=machine["name"],
                    arn=arn,
                    role=version["roleArn"],
                    definition=version["definition"],
                    alias=alias["name"],
                )

    def services(self, image: Callable[[str], Image]) -> Iterator[tuple[str, ServiceSpec]]:
        """Services of which one task is wanted, by key, each with the one container that its task is."""
        ecs = self._clients.get("ecs")
        for cluster in ecs.list_clusters()["clusterArns"]:
            names = ecs.list_services(cluster=cluster)["serviceArns"]
            for service in ecs.describe_services(cluster=cluster, services=names)["services"] if names else ():
                if service["desiredCount"] == 1:
                    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
                    yield self._key_of(service["serviceName"]), _service(task, image)


def _service(task: Json, image: Callable[[str], Image]) -> ServiceSpec:
    container, *more = task["containerDefinitions"]
    if more:
        raise StackError(f"{task['family']} has {1 + len(more)} containers: only services of one work here")
    found = image(container["image"])
    if found.command[:2] != ("python", "-m") or container.get("secrets") or container.get("command"):
        raise StackError(f"the container {container['name']} is started in a way that does not work here")
    given = {each["name"]: each["value"] for each in container.get("environment", ())}
    imports = ":".join(map(str, found.imports))
    return ServiceSpec(
        module=found.command[2],
        folder=found.folder,
        environment={**found.environment, **given, "PYTHONPATH": imports},
        role=task["taskRoleArn"],
        bare=True,
    )


def _matcher(events: Any, pattern: str) -> Callable[[Event], bool]:
    def wants(event: Event) -> bool:
        return bool(events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"])

    return wants


def _function_of(uri: str) -> str:
    """The function's ARN; an integration may name it by the path that invokes it."""
    return uri.partition("/functions/")[2].removesuffix("/invocations") if "/functions/" in uri else uri
