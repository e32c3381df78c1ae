"""The declaration as one JSON document, for tools that are not written in Python; Terraform reads it.

References are ``{"ref": "queue/messages"}``, in statements with a ``path`` that is put behind the ARN.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from deployment import dashboard, keys
from deployment.figures import FIGURES
from deployment.roles import AccountRole, roles
from discord_agent.choices import REQUIRED
from discord_agent.declaration import (
    ALIAS,
    LAYERS,
    PREFIX,
    Alarm,
    Function,
    Grant,
    Kind,
    Machine,
    Ref,
    Service,
    System,
)
from discord_agent.system import SYSTEM

type Json = dict[str, Any]

_FOLDER: Final = Path(__file__).resolve().parent.parent / "terraform"


def document(system: System) -> Json:
    """Everything that a deployment makes, without anything that depends on the account or on settings."""
    return {
        "prefix": PREFIX,
        "alias": ALIAS,
        "figures": asdict(FIGURES),
        "log_retention": system.log_retention,
        "layers": sorted({layer for layers in LAYERS.values() for layer in layers}),
        "parameters": system.parameters,
        "required": list(REQUIRED),
        "settings": {key: asdict(setting) for key, setting in system.settings.items()},
        "secrets": system.secrets,
        "tables": {key: asdict(table) for key, table in system.tables.items()},
        "queues": {key: asdict(queue) for key, queue in system.queues.items()},
        "buckets": {key: asdict(bucket) for key, bucket in system.buckets.items()},
        "functions": {key: _function(function) for key, function in system.functions.items()},
        "machines": {key: _machine(machine) for key, machine in system.machines.items()},
        "services": {key: _service(service) for key, service in system.services.items()},
        "alarms": {key: _alarm(alarm) for key, alarm in system.alarms.items()},
        "key_policy": keys.POLICY,
        "dashboard": [asdict(widget) for widget in dashboard.widgets(system)],
        "roles": {key: _role(role) for key, role in roles(system).items()},
    }


def declaration(*, write: bool) -> int:
    """The command: prints the document, or writes what Terraform reads of it."""
    if not write:
        sys.stdout.write(text(document(SYSTEM)))
        return 0
    _FOLDER.mkdir(exist_ok=True)
    for path, contents in files(SYSTEM).items():
        path.write_text(contents, encoding="utf-8")
        sys.stdout.write(f"written: {path}\n")
    return 0


def files(system: System) -> dict[Path, str]:
    """What lies in ``terraform/`` of the declaration: the document, and a variable for everything that can be chosen."""
    return {
        _FOLDER / "system.json": text(document(system)),
        _FOLDER / "choices.tf.json": text(_variables(system)),
    }


def text(contents: Json) -> str:
    """JSON as it is kept in the repository."""
    return json.dumps(contents, indent=2, sort_keys=True) + "\n"


def _variables(system: System) -> Json:
    choices = {key: (setting.purpose, setting.choices) for key, setting in system.settings.items()}
    choices |= {key.lower(): (f"the deployment parameter {key}", ()) for key in system.parameters}
    return {
        "variable": {name: _variable(name, *choice) for name, choice in choices.items()},
        "locals": {"given": {name: f"${{var.{name}}}" for name in choices}},
    }


def _variable(name: str, purpose: str, choices: tuple[str, ...]) -> Json:
    variable: Json = {"type": "string", "default": None, "description": purpose}
    if choices:
        variable["validation"] = {
            "condition": f"${{var.{name} == null || contains({json.dumps(choices)}, coalesce(var.{name}, {json.dumps(choices[0])}))}}",
            "error_message": f"{name} is one of {', '.join(choices)}.",
        }
    return variable


def _function(function: Function) -> Json:
    fields = asdict(function)
    del fields["grants"]
    return {
        **fields,
        "name": function.physical_name,
        "layers": list(LAYERS[function.package]),
        "log_group": function.log_group,
        "environment": _environment(function.environment),
    }


def _machine(machine: Machine) -> Json:
    return {**asdict(machine), "name": machine.physical_name, "log_group": machine.log_group}


def _service(service: Service) -> Json:
    fields = asdict(service)
    del fields["grants"]
    return {
        **fields,
        "name": service.physical_name,
        "log_group": service.log_group,
        "environment": _environment(service.environment),
    }


def _environment(variables: tuple[tuple[str, Ref | str], ...]) -> Mapping[str, Json]:
    return {name: _value(value) for name, value in variables}


def _value(value: Ref | str | float) -> Json:
    return {"ref": f"{value.kind}/{value.key}"} if isinstance(value, Ref) else {"value": value}


def _alarm(alarm: Alarm) -> Json:
    """In dimensions a reference is the name of what it refers to, not its URL or ARN."""
    return {
        "name": alarm.physical_name,
        "description": alarm.description,
        "namespace": alarm.metric.namespace,
        "metric": alarm.metric.name,
        "dimensions": {name: _value(value) for name, value in alarm.metric.dimensions},
        "statistic": alarm.statistic,
        "comparison": alarm.comparison,
        "threshold": _value(alarm.threshold),
        "period": alarm.period,
        "periods": alarm.periods,
        "missing": alarm.missing,
        "only_with": alarm.only_with,
    }


def _role(role: AccountRole) -> Json:
    return {
        "name": role.name,
        "purpose": role.purpose,
        "service": role.service,
        "assumed_by": list(role.assumed_by),
        "statements": [_statement(grant) for grant in role.grants],
    }


def _statement(grant: Grant) -> Json:
    return {
        "actions": list(grant.actions),
        "resources": [_resource(ref) for ref in grant.resources],
        "reason": grant.reason,
    }


def _resource(ref: Ref) -> Json:
    if ref.kind is Kind.ANYTHING:
        return {"ref": "anything", "path": ""}
    separator = "/" if ref.path and ref.kind in (Kind.BUCKET, Kind.TABLE) else ""
    return {"ref": f"{ref.kind}/{ref.key}", "path": separator + ref.path}
