"""State machines on Step Functions."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import to_json
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.run import RunState

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""The console's host in each partition, after the region."""
_PARTS_OF_AN_ARN: Final = 7
_NO_LONGER_WAITS: Final = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})


class StepFunctionsMachines(Struct, frozen=True):
    """Machines by their key in the declaration; ``arns`` holds those that the function may start."""

    client: "SFNClient"
    arns: Mapping[str, str]

    def start(self, machine: str, execution: ExecutionId, data: RunState | Mapping[str, object]) -> None:
        """Start an execution; the same name again is no error and starts nothing, whatever its input."""
        try:
            with outages("Step Functions"):
                self.client.start_execution(
                    stateMachineArn=self.arns[machine], name=execution, input=json.dumps(to_json(data))
                )
        except self.client.exceptions.ExecutionAlreadyExists:
            return

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Answer a waiting task; False if it no longer waits."""
        try:
            with outages("Step Functions"):
                self.client.send_task_success(taskToken=task_token, output=json.dumps(to_json(output)))
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_LONGER_WAITS:
                return False
            raise
        return True


class StepFunctionsConsole(Struct, frozen=True):
    """Pages of AWS's console, where whoever is not signed in sees nothing; ``arns`` are those of machines or of their aliases."""

    arns: Mapping[str, str]

    def address(self, machine: str, execution: ExecutionId) -> str:
        """The page of an execution; "" for a machine whose ARN is not known."""
        parts = self.arns.get(machine, "").split(":")
        if len(parts) < _PARTS_OF_AN_ARN or parts[1] not in _CONSOLES:
            return ""
        _, partition, service, region, account, _, name, *_ = parts
        arn = f"arn:{partition}:{service}:{region}:{account}:execution:{name}:{execution}"
        return f"https://{region}.{_CONSOLES[partition]}/states/home?region={region}#/v2/executions/details/{arn}"
