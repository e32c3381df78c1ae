"""State machines on Step Functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import to_json
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.run import RunState

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_NO_LONGER_WAITS: Final = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})


@dataclass(frozen=True, slots=True)
class StepFunctionsMachines:
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
