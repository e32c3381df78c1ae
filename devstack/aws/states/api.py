"""Step Functions over HTTP: the AWS JSON 1.0 protocol, as boto3 speaks it."""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from devstack.aws.access.door import Door, Refused
from devstack.aws.access.http import enter, refused
from devstack.aws.http import Request, Response
from devstack.aws.interpreter.tokens import execution_of
from devstack.aws.names import machine_of
from devstack.aws.states.requests import ApiError, Json
from devstack.aws.states.service import StatesService

_TARGET: Final = "AWSStepFunctions."
_CONTENT: Final = "application/x-amz-json-1.0"


class StatesApi:
    """Dispatches by the X-Amz-Target header, for whom ``door`` lets in."""

    def __init__(self, service: StatesService, door: Door) -> None:
        machines = service.machines
        self._door = door
        self._operations: dict[str, Callable[[Json], Json]] = {
            "CreateStateMachine": machines.create,
            "UpdateStateMachine": machines.update,
            "DescribeStateMachine": machines.describe,
            "ListStateMachines": machines.list_all,
            "DeleteStateMachine": machines.delete,
            "ValidateStateMachineDefinition": machines.validate,
            "PublishStateMachineVersion": machines.publish,
            "ListStateMachineVersions": machines.versions,
            "DeleteStateMachineVersion": machines.delete_version,
            "CreateStateMachineAlias": machines.create_alias,
            "UpdateStateMachineAlias": machines.update_alias,
            "DescribeStateMachineAlias": machines.describe_alias,
            "ListStateMachineAliases": machines.aliases,
            "DeleteStateMachineAlias": machines.delete_alias,
            "StartExecution": service.start_execution,
            "StopExecution": service.stop_execution,
            "DescribeExecution": service.describe_execution,
            "DescribeStateMachineForExecution": service.describe_state_machine_for_execution,
            "ListExecutions": service.list_executions,
            "GetExecutionHistory": service.get_execution_history,
            "SendTaskSuccess": service.send_task_success,
            "SendTaskFailure": service.send_task_failure,
            "SendTaskHeartbeat": service.send_task_heartbeat,
        }

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        name = (request.header("X-Amz-Target") or "").removeprefix(_TARGET)
        operation = self._operations.get(name)
        if operation is None:
            return _refused("UnknownOperationException", f"{name or request.path} is not offered here")
        try:
            enter(self._door, request, known=_known)
            return Response(200, _encoded(operation(json.loads(request.body or b"{}"))), _headers())
        except Refused as refusal:
            return refused("states", refusal)
        except ApiError as error:
            return _refused(error.code, str(error))
        except ValueError as error:
            return _refused("SerializationException", str(error))


def _known(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a token says besides: the machine whose task it answers."""
    execution = execution_of(str(given.get("taskToken", "")))
    return {} if execution is None else {"stateMachineArn": machine_of(execution)}


def _encoded(answer: Json) -> bytes:
    return json.dumps(answer, default=_plain).encode()


def _plain(value: object) -> object:
    return value.timestamp() if isinstance(value, datetime) else str(value)


def _refused(code: str, message: str) -> Response:
    return Response(400, json.dumps({"__type": code, "message": message}).encode(), _headers())


def _headers() -> dict[str, str]:
    return {"Content-Type": _CONTENT, "x-amzn-RequestId": str(uuid.uuid4())}
