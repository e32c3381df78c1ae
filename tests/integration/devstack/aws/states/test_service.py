"""Executions and state machines, seen through Step Functions' API."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.local_aws import States, records

DONE: dict[str, Any] = {"A": {"Type": "Pass", "End": True}}
WAITING: dict[str, Any] = {"A": {"Type": "Wait", "Seconds": 86_400_000, "End": True}}
ROLE = "arn:aws:iam::123456789012:role/x"


def test_the_output_is_json_whatever_its_type(states: States) -> None:
    machine = {"A": {"Type": "Pass", "Output": "{% $states.context.Execution.StartTime %}", "End": True}}
    described = states.run(machine)
    assert json.loads(described["output"]).endswith("Z")
    assert described["output"].startswith('"')


def test_executions_without_a_name_get_different_ones(states: States) -> None:
    machine = states.create(DONE)
    first, second = (states.client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2))
    assert first != second


def test_a_running_executions_name_and_input_start_nothing_new(states: States) -> None:
    machine, name = states.create(WAITING), uuid.uuid4().hex
    start = states.client.start_execution
    first = start(stateMachineArn=machine, name=name, input='{"a": 1}')["executionArn"]
    assert start(stateMachineArn=machine, name=name, input='{"a": 1}')["executionArn"] == first
    with pytest.raises(states.client.exceptions.ExecutionAlreadyExists):
        start(stateMachineArn=machine, name=name, input='{"a": 2}')
    states.client.stop_execution(executionArn=first)
    with pytest.raises(states.client.exceptions.ExecutionAlreadyExists):
        start(stateMachineArn=machine, name=name, input='{"a": 1}')


@pytest.mark.parametrize("name", ["with space", "x" * 81, "sl/ash", "c:olon"])
def test_a_name_that_aws_refuses_is_refused(states: States, name: str) -> None:
    with pytest.raises(states.client.exceptions.InvalidName):
        states.client.start_execution(stateMachineArn=states.create(DONE), name=name)


def test_input_has_to_be_json_within_the_limit(states: States) -> None:
    machine = states.create(DONE)
    with pytest.raises(states.client.exceptions.InvalidExecutionInput):
        states.client.start_execution(stateMachineArn=machine, input="{")
    with pytest.raises(states.client.exceptions.ClientError, match="ValidationException"):
        states.client.start_execution(stateMachineArn=machine, input=json.dumps("x" * 262_144))
    execution = states.client.start_execution(stateMachineArn=machine, input=json.dumps("x" * 262_142))["executionArn"]
    assert states.ended(execution)["status"] == "SUCCEEDED"


def test_stopping_a_wait_aborts_at_once_with_error_and_cause(states: States) -> None:
    execution = states.start(WAITING)
    stopped = states.client.stop_execution(executionArn=execution, error="Stop", cause="enough")
    described = states.client.describe_execution(executionArn=execution)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Stop", "enough")
    assert described["stopDate"] == stopped["stopDate"]
    last = states.history(execution)[-1]
    assert (last["type"], last["executionAbortedEventDetails"]) == (
        "ExecutionAborted",
        {"error": "Stop", "cause": "enough"},
    )


def test_stopping_ends_the_pause_before_a_retry(states: States) -> None:
    retry = [{"ErrorEquals": ["Own"], "IntervalSeconds": 9_999_999}]
    execution = states.start({"A": states.call({"do": "raise", "error": "Own"}, Retry=retry)})
    eventually(lambda: any(event["type"] == "TaskFailed" for event in states.history(execution)))
    states.client.stop_execution(executionArn=execution)
    assert states.client.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_stopping_does_not_wait_for_the_function(states: States, shared_records: Path) -> None:
    name = uuid.uuid4().hex
    execution = states.start({"A": states.call({"do": "sleep", "seconds": 3, "name": name})})
    eventually(lambda: {"sleeps": name} in records(shared_records))
    states.client.stop_execution(executionArn=execution)
    assert states.client.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_stopping_ends_every_branch(states: States) -> None:
    branch = {"StartAt": "A", "States": WAITING}
    mapped = {"Type": "Map", "Items": [1, 2], "ItemProcessor": branch, "End": True}
    execution = states.start(
        {"P": {"Type": "Parallel", "Branches": [branch, {"StartAt": "M", "States": {"M": mapped}}], "End": True}}
    )
    eventually(lambda: sum(event["type"] == "WaitStateEntered" for event in states.history(execution)) == 3)
    states.client.stop_execution(executionArn=execution)
    assert states.client.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_an_ended_execution_is_not_stopped_again(states: States) -> None:
    execution = states.start(DONE)
    ended = states.ended(execution)
    assert states.client.stop_execution(executionArn=execution)["stopDate"] == ended["stopDate"]
    assert states.client.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"


def test_an_execution_past_its_time_limit_times_out(states: States) -> None:
    execution = states.start(WAITING, TimeoutSeconds=1)
    described = states.ended(execution)
    assert described["status"] == "TIMED_OUT"
    assert described["stopDate"] >= described["startDate"]
    assert states.history(execution)[-1]["type"] == "ExecutionTimedOut"


def test_an_execution_limit_ends_a_running_function_too(states: States) -> None:
    described = states.run({"A": states.call({"do": "sleep", "seconds": 3})}, TimeoutSeconds=1)
    assert described["status"] == "TIMED_OUT"


def test_history_comes_in_pages_and_in_both_orders(states: States) -> None:
    machine = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Succeed"},
    }
    execution = states.start(machine)
    states.ended(execution)
    read = states.client.get_execution_history
    forward = [event["id"] for event in states.history(execution)]
    backward = [event["id"] for event in read(executionArn=execution, reverseOrder=True)["events"]]
    first = read(executionArn=execution, maxResults=3)
    second = read(executionArn=execution, maxResults=3, nextToken=first["nextToken"])
    assert forward == sorted(forward)
    assert backward == forward[::-1]
    assert [event["id"] for event in (*first["events"], *second["events"])] == forward[:6]


def test_transitions_count_every_state_entered(states: States) -> None:
    machine = {
        "A": {"Type": "Pass", "Assign": {"n": 0}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"n": "{% $n + 1 %}"}, "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $n < 5 %}", "Next": "B"}], "Default": "D"},
        "D": {"Type": "Succeed"},
    }
    execution = states.start(machine)
    states.ended(execution)
    assert states.aws.transitions(execution) == 1 + 5 * 2 + 1


def test_a_running_execution_keeps_the_definition_it_started_with(states: States) -> None:
    machine = states.create(
        {"A": {"Type": "Wait", "Seconds": 30, "Next": "B"}, "B": {"Type": "Pass", "Output": "old", "End": True}}
    )
    execution = states.client.start_execution(stateMachineArn=machine)["executionArn"]
    newer = {
        "QueryLanguage": "JSONata",
        "StartAt": "B",
        "States": {"B": {"Type": "Pass", "Output": "new", "End": True}},
    }
    states.client.update_state_machine(stateMachineArn=machine, definition=json.dumps(newer))
    assert states.ended(execution)["output"] == '"old"'
    later = states.client.start_execution(stateMachineArn=machine)["executionArn"]
    assert states.ended(later)["output"] == '"new"'


def test_executions_are_listed_by_status_newest_first(states: States) -> None:
    machine = states.create(WAITING)
    arns = [states.client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(3)]
    states.client.stop_execution(executionArn=arns[1])
    running = states.client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    everything = states.client.list_executions(stateMachineArn=machine)["executions"]
    assert [each["executionArn"] for each in running] == [arns[2], arns[0]]
    assert [each["executionArn"] for each in everything] == arns[::-1]
    assert set(arns) - {arns[1]} <= set(states.aws.running_executions())


def test_fifty_executions_run_at_once(states: States) -> None:
    machine = states.create(
        {
            "A": states.call({"do": "echo", "value": "{% $states.input.n %}"}, Next="B"),
            "B": {"Type": "Wait", "Seconds": 10, "End": True},
        }
    )

    def run(number: int) -> Any:
        execution = states.client.start_execution(stateMachineArn=machine, input=json.dumps({"n": number}))
        return json.loads(states.ended(execution["executionArn"])["output"])

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(run, range(50))) == list(range(50))


@pytest.mark.parametrize(
    "definition",
    [
        "{",
        '{"States": {}}',
        '{"StartAt": "Nowhere", "States": {"A": {"Type": "Succeed"}}}',
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}',
        '{"StartAt": "A", "States": {"A": {"Type": "Pass"}}}',
        '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "Lost": {"Type": "Succeed"}}}',
        '{"StartAt": "A", "States": {"A": {"Type": "Dance", "End": true}}}',
        '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": true}}}',
    ],
)
def test_a_definition_that_cannot_run_is_refused(states: States, definition: str) -> None:
    with pytest.raises(states.client.exceptions.InvalidDefinition):
        states.client.create_state_machine(name=uuid.uuid4().hex, definition=definition, roleArn=ROLE)


def test_a_machine_that_exists_is_not_made_with_another_definition(states: States) -> None:
    arn = states.create(DONE)
    described = states.client.describe_state_machine(stateMachineArn=arn)
    again = states.client.create_state_machine(name=described["name"], definition=described["definition"], roleArn=ROLE)
    assert again["stateMachineArn"] == arn
    with pytest.raises(states.client.exceptions.StateMachineAlreadyExists):
        states.client.create_state_machine(
            name=described["name"], definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', roleArn=ROLE
        )


def test_what_does_not_exist_is_named_so(states: States) -> None:
    nowhere = "arn:aws:states:us-east-1:123456789012:execution:none:none"
    with pytest.raises(states.client.exceptions.ExecutionDoesNotExist):
        states.client.describe_execution(executionArn=nowhere)
    with pytest.raises(states.client.exceptions.StateMachineDoesNotExist):
        states.client.start_execution(stateMachineArn=nowhere.replace("execution", "stateMachine"))


def test_a_task_calls_other_services_with_their_own_names(states: States) -> None:
    queue = states.aws.clients.sqs().create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    machine = {
        "A": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Arguments": {"QueueUrl": queue, "MessageBody": {"number": 1}},
            "Output": "{% $exists($states.result.MessageId) %}",
            "Next": "B",
        },
        "B": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sqs:receiveMessage",
            "Arguments": {"QueueUrl": queue},
            "Output": "{% $parse($states.result.Messages[0].Body) %}",
            "End": True,
        },
    }
    assert states.output(machine) == {"number": 1}
