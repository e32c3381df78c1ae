import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from discord_agent.adapters.machines import StepFunctionsMachines
from discord_agent.domain.errors import StateUnavailable
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.run import RunState
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

RUN = RunState(ExecutionId("m-1"), ThreadId("2"), ChannelId("3"), MessageId("1"), UserId("4"))
_ACCOUNT: Any = {"region_name": "us-east-1", "aws_access_key_id": "t", "aws_secret_access_key": "t"}


@dataclass(frozen=True)
class _World:
    """A machine that asks by a queue and waits for the answer."""

    states: "SFNClient"
    sqs: "SQSClient"
    arn: str
    questions: str

    @property
    def machines(self) -> StepFunctionsMachines:
        return StepFunctionsMachines(self.states, {"asking": self.arn})

    def token(self) -> str:
        received = eventually(lambda: self.sqs.receive_message(QueueUrl=self.questions).get("Messages", []))
        return str(json.loads(received[0]["Body"])["token"])

    def execution(self, name: str) -> Any:
        return self.states.describe_execution(
            executionArn=f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"
        )


def _definition(questions: str) -> str:
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": questions, "MessageBody": {"token.$": "$$.Task.Token"}},
        "End": True,
    }
    return json.dumps({"StartAt": "Ask", "States": {"Ask": ask}})


@pytest.fixture
def world() -> Iterator[_World]:
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        states: Any = boto3.client("stepfunctions", **_ACCOUNT)
        sqs: Any = boto3.client("sqs", **_ACCOUNT)
        questions = sqs.create_queue(QueueName="questions")["QueueUrl"]
        machine = states.create_state_machine(
            name="asking", definition=_definition(questions), roleArn="arn:aws:iam::123456789012:role/states"
        )
        yield _World(states, sqs, machine["stateMachineArn"], questions)


def test_a_run_starts_once_under_its_own_name(world: _World) -> None:
    world.machines.start("asking", RUN.execution_id, RUN)
    world.machines.start("asking", RUN.execution_id, RUN)
    world.machines.start("asking", RUN.execution_id, {"run": RUN, "message_id": "5"})
    executions = world.states.list_executions(stateMachineArn=world.arn)["executions"]
    assert [execution["name"] for execution in executions] == ["m-1"]
    started = json.loads(world.execution("m-1")["input"])
    assert (started["execution_id"], started["next"], started["cost"]["known"]) == ("m-1", "plan", {"amount": "0"})
    world.machines.succeed(world.token(), {})


def test_an_answered_task_goes_on_with_the_answer_and_waits_no_more(world: _World) -> None:
    world.machines.start("asking", ExecutionId("m-2"), {"run": RUN})
    token = world.token()
    assert world.machines.succeed(token, {"decision": "merge", "by": UserId("4")})
    ended = eventually(lambda: (found := world.execution("m-2"))["status"] != "RUNNING" and found)
    assert json.loads(ended["output"]) == {"decision": "merge", "by": "4"}
    assert not world.machines.succeed(token, {"decision": "reject"})


def test_a_token_nobody_waits_on_is_told_apart(world: _World) -> None:
    assert not world.machines.succeed("no-such-token", {})


class _Failing:
    """A Step Functions client whose calls fail."""

    def __init__(self, failure: Exception) -> None:
        self.exceptions = boto3.client("stepfunctions", **_ACCOUNT).exceptions
        self._failure = failure

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> None:
            raise self._failure

        return call


def _answer(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Call")


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (ReadTimeoutError(endpoint_url="https://states"), StateUnavailable),
        (_answer("ThrottlingException", 400), StateUnavailable),
        (_answer("StateMachineDoesNotExist", 400), ClientError),
    ],
)
def test_an_outage_is_worth_a_retry_and_a_refusal_is_not(failure: Exception, meaning: type[Exception]) -> None:
    client: Any = _Failing(failure)
    machines = StepFunctionsMachines(client, {"asking": "arn:aws:states:us-east-1:1:stateMachine:asking"})
    with pytest.raises(meaning):
        machines.start("asking", RUN.execution_id, RUN)
    with pytest.raises(meaning):
        machines.succeed("token", {})


@pytest.mark.parametrize("code", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
def test_every_way_of_no_longer_waiting_is_false(code: str) -> None:
    client: Any = _Failing(_answer(code, 400))
    assert not StepFunctionsMachines(client, {}).succeed("token", {})
