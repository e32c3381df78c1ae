"""Step Functions: state machines keep whether they are traced, and may be deleted twice, as AWS names no error for it."""

from collections.abc import Mapping
from typing import Any, Final

from ministack.core.responses import json_response
from ministack.services import stepfunctions

_TRACING: Final = "tracingConfiguration"
_create_state_machine = stepfunctions._create_state_machine  # noqa: SLF001 (no public way)
_update_state_machine = stepfunctions._update_state_machine  # noqa: SLF001 (no public way)
_delete_state_machine = stepfunctions._delete_state_machine  # noqa: SLF001 (no public way)


def mend() -> None:
    """Keep what was asked for; let go of what is gone."""
    stepfunctions._create_state_machine = _create  # noqa: SLF001 (no public way)
    stepfunctions._update_state_machine = _update  # noqa: SLF001 (no public way)
    stepfunctions._delete_state_machine = _delete  # noqa: SLF001 (no public way)


def _create(data: Mapping[str, Any]) -> Any:
    response = _create_state_machine(data)
    for machine in stepfunctions._state_machines.values():  # noqa: SLF001 (no public way)
        if machine["name"] == data.get("name"):
            machine.setdefault(_TRACING, data.get(_TRACING, {"enabled": False}))
    return response


def _update(data: Mapping[str, Any]) -> Any:
    response = _update_state_machine(data)
    machine = stepfunctions._state_machines.get(data.get("stateMachineArn"))  # noqa: SLF001 (no public way)
    if machine is not None and _TRACING in data:
        machine[_TRACING] = data[_TRACING]
    return response


def _delete(data: Mapping[str, Any]) -> Any:
    machines = stepfunctions._state_machines  # noqa: SLF001 (no public way)
    return _delete_state_machine(data) if data.get("stateMachineArn") in machines else json_response({})
