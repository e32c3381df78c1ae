"""What a Task calls: functions directly, other services through clients that are made once.

Mended here: moto builds a boto3 client for every task, sends everything to a server of its own, and passes parameters
and results on without turning Step Functions' names into the service's.
"""

import functools
import json
import sys
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.utils import camel_to_snake_case

from devstack.aws.functions.model import InvocationRefused
from devstack.aws.interpreter.attempts import CURRENT, Abandoned
from devstack.aws.interpreter.platform import platform_of, role_of


def mend() -> None:
    """Replace the ways out of the interpreter."""
    lambda_eval_utils.execute_lambda_function_integration = _invoke
    StateTaskService._normalise_parameters = _to_service  # noqa: SLF001 (replaces moto's)
    StateTaskService._normalise_response = _from_service  # noqa: SLF001 (replaces moto's)
    original = boto_client.boto_client_for
    for module in [module for name, module in sys.modules.items() if name.startswith("moto.stepfunctions.parser")]:
        if getattr(module, "boto_client_for", None) is original:
            module.boto_client_for = _client  # type: ignore[attr-defined] # found by this very name


def _client(service: str, **_: Any) -> Any:
    return CURRENT.get()(service)


def _invoke(env: Any, parameters: dict[str, Any], **_: Any) -> None:
    reference = parameters["FunctionName"]
    try:
        invocation = platform_of(env).invoke(role_of(env), reference, parameters.get("Payload") or b"{}")
    except InvocationRefused as refusal:
        raise ClientError(
            {
                "Error": {"Code": refusal.code, "Message": str(refusal)},
                "ResponseMetadata": {
                    "HTTPStatusCode": refusal.status,
                    "RequestId": "embedded",
                    "HostId": "",
                    "HTTPHeaders": {},
                    "RetryAttempts": 0,
                },
            },
            "Invoke",
        ) from refusal
    if not env.is_running():
        raise Abandoned
    payload = json.loads(invocation.raw) if invocation.raw else None
    if invocation.error is not None:
        raise lambda_eval_utils.LambdaFunctionErrorException(
            invocation.error, json.dumps(payload, separators=(",", ":"))
        )
    env.stack.append({"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200})


@functools.cache
def _operations(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {camel_to_snake_case(name): model.operation_model(name) for name in model.operation_names}


def _operation(state: Any, service: str | None, action: str | None) -> Any:
    name = state._get_boto_service_action(action)  # noqa: SLF001 (moto's own protocol)
    return _operations(state._get_boto_service_name(service))[camel_to_snake_case(name)]  # noqa: SLF001 (the same)


def _to_service(
    self: Any, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    shape = _operation(self, boto_service_name, service_action_name).input_shape
    if shape is not None:
        self._to_boto_request(parameters, shape)


def _from_service(
    self: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    shape = _operation(self, boto_service_name, service_action_name).output_shape
    if shape is not None:
        self._from_boto_response(response, shape)
