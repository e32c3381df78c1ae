"""State machines, the versions that were published of them, and the aliases that point to versions.

Operations take and return the API's own JSON, with instants as ``datetime``.
"""

import threading
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from devstack.aws.names import machine_arn
from devstack.aws.states.execution import MachineRevision
from devstack.aws.states.requests import ApiError, Json, checked_definition, checked_name, required

_ALL: Final = 100


@dataclass(slots=True)
class _Machine:
    """A machine as it is now, what was published of it by number, and versions' numbers by alias."""

    current: MachineRevision
    created: datetime
    versions: dict[int, MachineRevision] = field(default_factory=dict)
    published: int = 0
    aliases: dict[str, int] = field(default_factory=dict)


class Machines:
    """Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._machines: dict[str, _Machine] = {}

    def find(self, arn: str) -> MachineRevision:
        """What an execution runs that is started by the ARN of a machine, a version or an alias."""
        with self._lock:
            machine, qualifier = self._at(arn)
            if not qualifier:
                return machine.current
            number = machine.aliases.get(qualifier)
            if number is None and qualifier.isdecimal():
                number = int(qualifier)
            found = machine.versions.get(number or 0)
        if found is None:
            raise _missing(arn)
        return found if qualifier.isdecimal() else replace(found, alias_arn=arn)

    def create(self, request: Json) -> Json:
        """CreateStateMachine, of type STANDARD; idempotent for the same definition."""
        name = checked_name(required(request, "name"))
        definition, role = required(request, "definition"), required(request, "roleArn")
        if request.get("type", "STANDARD") != "STANDARD":
            raise ApiError("StateMachineTypeNotSupported", "only STANDARD state machines run here")
        checked_definition(definition)
        arn = machine_arn(name)
        with self._lock:
            known = self._machines.get(arn)
            if known is not None and known.current.definition != definition:
                raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
            machine = known or _Machine(MachineRevision(name, arn, definition, role), datetime.now(UTC))
            self._machines[arn] = machine
            published = {"stateMachineVersionArn": _publish(machine)} if request.get("publish") else {}
        return {"stateMachineArn": arn, "creationDate": machine.created, **published}

    def update(self, request: Json) -> Json:
        """UpdateStateMachine; versions and running executions keep their definition."""
        definition = request.get("definition")
        if definition is None:
            raise ApiError("MissingRequiredParameter", "only the definition can be updated here; give one")
        checked_definition(definition)
        with self._lock:
            machine = self._machine(request)
            machine.current = replace(machine.current, definition=definition)
            published = {"stateMachineVersionArn": _publish(machine)} if request.get("publish") else {}
        return {"updateDate": datetime.now(UTC), **published}

    def describe(self, request: Json) -> Json:
        """DescribeStateMachine, of a version too."""
        arn = required(request, "stateMachineArn")
        found = self.find(arn)
        with self._lock:
            created = self._at(arn)[0].created
        return described(found) | {"status": "ACTIVE", "type": "STANDARD", "creationDate": created}

    def list_all(self, _: Json) -> Json:
        """ListStateMachines, in one page."""
        with self._lock:
            machines = list(self._machines.values())
        return {"stateMachines": [_listed(machine) for machine in machines]}

    def delete(self, request: Json) -> Json:
        """DeleteStateMachine, with its versions and aliases; its executions run on."""
        with self._lock:
            self._machines.pop(required(request, "stateMachineArn"), None)
        return {}

    def validate(self, request: Json) -> Json:
        """ValidateStateMachineDefinition."""
        try:
            checked_definition(required(request, "definition"))
        except ApiError as error:
            problem = {"severity": "ERROR", "code": "INVALID_DEFINITION", "message": str(error)}
            return {"result": "FAIL", "diagnostics": [problem], "truncated": False}
        return {"result": "OK", "diagnostics": [], "truncated": False}

    def publish(self, request: Json) -> Json:
        """PublishStateMachineVersion; what has not changed since the last one is not published again."""
        with self._lock:
            machine = self._machine(request)
            return {"stateMachineVersionArn": _publish(machine), "creationDate": datetime.now(UTC)}

    def versions(self, request: Json) -> Json:
        """ListStateMachineVersions, the newest first."""
        with self._lock:
            machine = self._machine(request)
            arns = [machine.versions[number].version_arn for number in sorted(machine.versions, reverse=True)]
            created = machine.created
        return {"stateMachineVersions": [{"stateMachineVersionArn": arn, "creationDate": created} for arn in arns]}

    def delete_version(self, request: Json) -> Json:
        """DeleteStateMachineVersion; one that an alias points to stays."""
        arn = required(request, "stateMachineVersionArn")
        with self._lock:
            machine, number = self._at(arn)
            if int(number) in machine.aliases.values():
                raise ApiError(
                    "ConflictException", f"Version to be deleted must not be referenced by an alias: '{arn}'"
                )
            machine.versions.pop(int(number), None)
        return {}

    def create_alias(self, request: Json) -> Json:
        """CreateStateMachineAlias, to one version."""
        name = checked_name(required(request, "name"))
        with self._lock:
            machine, number = self._routed(request)
            if machine.aliases.setdefault(name, number) != number:
                raise ApiError("ConflictException", f"Alias already exists: '{name}'")
        return {"stateMachineAliasArn": f"{machine.current.arn}:{name}", "creationDate": datetime.now(UTC)}

    def update_alias(self, request: Json) -> Json:
        """UpdateStateMachineAlias, to another version."""
        with self._lock:
            machine, name = self._alias(request)
            _, machine.aliases[name] = self._routed(request)
        return {"updateDate": datetime.now(UTC)}

    def describe_alias(self, request: Json) -> Json:
        """DescribeStateMachineAlias."""
        with self._lock:
            machine, name = self._alias(request)
            route = {"stateMachineVersionArn": f"{machine.current.arn}:{machine.aliases[name]}", "weight": _ALL}
        return {
            "stateMachineAliasArn": required(request, "stateMachineAliasArn"),
            "name": name,
            "routingConfiguration": [route],
            "creationDate": machine.created,
            "updateDate": machine.created,
        }

    def aliases(self, request: Json) -> Json:
        """ListStateMachineAliases."""
        with self._lock:
            machine = self._machine(request)
            arns = [f"{machine.current.arn}:{name}" for name in sorted(machine.aliases)]
        return {"stateMachineAliases": [{"stateMachineAliasArn": arn, "creationDate": machine.created} for arn in arns]}

    def delete_alias(self, request: Json) -> Json:
        """DeleteStateMachineAlias."""
        with self._lock:
            machine, name = self._alias(request)
            del machine.aliases[name]
        return {}

    def _machine(self, request: Json) -> _Machine:
        return self._at(required(request, "stateMachineArn"))[0]

    def _alias(self, request: Json) -> tuple[_Machine, str]:
        arn = required(request, "stateMachineAliasArn")
        machine, name = self._at(arn)
        if name not in machine.aliases:
            raise ApiError("ResourceNotFound", f"Request references a resource that does not exist: '{arn}'")
        return machine, name

    def _routed(self, request: Json) -> tuple[_Machine, int]:
        """The machine and the number of the one version that a request routes to."""
        routes: list[Mapping[str, Any]] = request.get("routingConfiguration") or []
        if len(routes) != 1:
            raise ApiError("ValidationException", "an alias points to one version here")
        arn = str(routes[0]["stateMachineVersionArn"])
        machine, number = self._at(arn)
        if not number.isdecimal() or int(number) not in machine.versions:
            raise ApiError("ResourceNotFound", f"Request references a resource that does not exist: '{arn}'")
        return machine, int(number)

    def _at(self, arn: str) -> tuple[_Machine, str]:
        """The machine that an ARN names, and what stands behind its name."""
        *head, last = arn.split(":")
        for base, qualifier in ((arn, ""), (":".join(head), last)):
            if base in self._machines:
                return self._machines[base], qualifier
        raise _missing(arn)


def described(machine: MachineRevision) -> Json:
    """What every description of a machine begins with."""
    return {
        "stateMachineArn": machine.version_arn or machine.arn,
        "name": machine.name,
        "definition": machine.definition,
        "roleArn": machine.role,
    }


def _publish(machine: _Machine) -> str:
    newest = machine.versions.get(machine.published)
    if newest is None or newest.definition != machine.current.definition:
        machine.published += 1
        newest = replace(machine.current, version_arn=f"{machine.current.arn}:{machine.published}")
        machine.versions[machine.published] = newest
    return str(newest.version_arn)


def _listed(machine: _Machine) -> Json:
    current = machine.current
    return {
        "stateMachineArn": current.arn,
        "name": current.name,
        "type": "STANDARD",
        "creationDate": machine.created,
    }


def _missing(arn: str) -> ApiError:
    return ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
