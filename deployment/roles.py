"""Every role there is in the account: what the declaration grants, and what each kind of compute needs to exist."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from discord_agent.declaration import PREFIX, Function, Grant, Kind, Machine, Ref, Role, Service, System
from discord_agent.needs import invoke

_NO_REGISTRY: Final = "here a service is started from its folder, not from an image"
_EVERYTHING: Final = (Ref(Kind.ANYTHING, "*"),)
_TRACE: Final = Grant(
    ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    _EVERYTHING,
    reason="traces are no resources in X-Ray",
    unexercised="the daemon of Lambda and Step Functions themselves send traces; here there are neither",
)
_SAMPLE: Final = Grant(
    ("xray:GetSamplingRules", "xray:GetSamplingTargets"),
    _EVERYTHING,
    reason="sampling rules are the account's",
    unexercised="Step Functions asks before it traces; the interpreter here does not trace",
)
_DELIVER_LOGS: Final = Grant(
    (
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
    ),
    _EVERYTHING,
    reason="Step Functions asks for these to deliver its logs; log deliveries are no resources",
    unexercised="the interpreter here delivers no logs",
)
_SIGN_IN_TO_REGISTRY: Final = Grant(
    ("ecr:GetAuthorizationToken",),
    _EVERYTHING,
    reason="the token is for the account's whole registry",
    unexercised=_NO_REGISTRY,
)


@dataclass(frozen=True, slots=True)
class AccountRole:
    """A role as it is made: ``service`` or the roles with the keys ``assumed_by`` may take it."""

    key: str
    name: str
    purpose: str
    service: str
    assumed_by: tuple[str, ...]
    grants: tuple[Grant, ...]


def roles(system: System) -> dict[str, AccountRole]:
    """All roles by key: ``function/turn``, ``machine/simple``, ``service/gateway_bridge``, ``start/gateway_bridge`` and ``role/workspace``."""
    return {role.key: role for role in _roles(system)}


def _roles(system: System) -> Iterator[AccountRole]:
    for function in system.functions.values():
        yield _function(function)
    for machine in system.machines.values():
        yield _machine(machine)
    for service in system.services.values():
        yield _service(service)
        yield _starter(service)
    for key, role in system.roles.items():
        yield _assumed(key, role)


def _function(function: Function) -> AccountRole:
    traced = () if function.tenant_isolated else (_TRACE,)
    failing = () if function.dead_letters is None else (_send(function.dead_letters),)
    return AccountRole(
        f"function/{function.name}",
        function.physical_name,
        f"{function.name}: {function.purpose}",
        "lambda.amazonaws.com",
        (),
        (*function.grants, *failing, _write_logs(function.log_group), *traced),
    )


def _machine(machine: Machine) -> AccountRole:
    return AccountRole(
        f"machine/{machine.name}",
        f"{PREFIX}-machine-{machine.name}",
        f"the state machine {machine.name}: calls its functions",
        "states.amazonaws.com",
        (),
        (invoke(*machine.functions), _DELIVER_LOGS, _TRACE, _SAMPLE),
    )


def _service(service: Service) -> AccountRole:
    return AccountRole(
        f"service/{service.name}",
        service.physical_name,
        f"{service.name}: {service.purpose}",
        "ecs-tasks.amazonaws.com",
        (),
        service.grants,
    )


def _starter(service: Service) -> AccountRole:
    """What fetches a service's image and carries its output to the logs, outside the container."""
    pull = Grant(
        ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        (Ref(Kind.IMAGE, service.name),),
        unexercised=_NO_REGISTRY,
    )
    return AccountRole(
        f"start/{service.name}",
        f"{service.physical_name}-start",
        f"starts {service.name}: fetches its image and writes its logs",
        "ecs-tasks.amazonaws.com",
        (),
        (pull, _SIGN_IN_TO_REGISTRY, _write_logs(service.log_group)),
    )


def _assumed(key: str, role: Role) -> AccountRole:
    takers = tuple(f"function/{name}" for name in role.assumed_by)
    return AccountRole(f"role/{key}", role.name, role.purpose, "", takers, role.grants)


def _send(queue: str) -> Grant:
    return Grant(
        ("sqs:SendMessage",),
        (Ref(Kind.QUEUE, queue),),
        unexercised="no story here has a function fail at every attempt that Lambda makes",
    )


def _write_logs(group: str) -> Grant:
    return Grant(
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        (Ref(Kind.LOG_GROUP, group, ":*"),),
        reason="every process makes a log stream of its own in this one group",
        unexercised="what processes print goes to files here; on AWS their surroundings carry it to the logs",
    )
