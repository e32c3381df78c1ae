"""Names of errors and what takes them, seen through Step Functions' API."""

from typing import Any

import pytest

from tests.support.local_aws import States

CAUGHT = {"Caught": {"Type": "Pass", "Output": {"caught": "{% $states.input.Error %}"}, "End": True}}
LIMIT = 262_144


def catch(*names: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(names), "Next": "Caught"}]


def test_a_choice_without_a_match_is_no_choice_matched(states: States) -> None:
    machine = {
        "A": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "B"}]},
        "B": {"Type": "Succeed"},
    }
    assert states.run(machine)["error"] == "States.NoChoiceMatched"


def test_a_functions_error_is_caught_by_its_class_name(states: States) -> None:
    machine = {"A": states.call({"do": "raise", "error": "LeaseLost"}, Catch=catch("LeaseLost")), **CAUGHT}
    assert states.output(machine) == {"caught": "LeaseLost"}


def test_an_uncaught_error_fails_the_execution_with_its_name_and_payload(states: States) -> None:
    ended = states.run({"A": states.call({"do": "raise", "error": "LeaseLost", "message": "gone"})})
    assert (ended["status"], ended["error"]) == ("FAILED", "LeaseLost")
    assert '"errorMessage":"gone"' in ended["cause"].replace(": ", ":")


@pytest.mark.parametrize("inner", ["States.Timeout", "Own"])
def test_errors_cross_map_and_parallel_under_their_names(states: States, inner: str) -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": inner, "Cause": "told to"}}}
    machine = {
        "Each": {
            "Type": "Map",
            "Items": [1],
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **failing},
            "Catch": [{"ErrorEquals": [inner], "Next": "Both"}],
            "End": True,
        },
        "Both": {"Type": "Parallel", "Branches": [failing], "Catch": catch(inner), "End": True},
        **CAUGHT,
    }
    assert states.output(machine) == {"caught": inner}


def test_a_timeout_inside_a_parallel_is_caught_outside(states: States) -> None:
    slow = {"StartAt": "S", "States": {"S": states.call({"do": "sleep", "seconds": 1.5}, TimeoutSeconds=1)}}
    machine = {
        "Both": {"Type": "Parallel", "Branches": [slow], "Catch": catch("States.Timeout"), "End": True},
        **CAUGHT,
    }
    assert states.output(machine) == {"caught": "States.Timeout"}


def test_a_parallel_whose_branch_fails_does_not_wait_for_the_others(states: States) -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Own"}}}
    waiting = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400_000, "End": True}}}
    machine = {
        "Both": {"Type": "Parallel", "Branches": [waiting, failing], "Catch": catch("Own"), "End": True},
        **CAUGHT,
    }
    assert states.output(machine) == {"caught": "Own"}


def test_states_all_takes_a_functions_error(states: States) -> None:
    machine = {"A": states.call({"do": "raise", "error": "Own"}, Catch=catch("States.ALL")), **CAUGHT}
    assert states.output(machine) == {"caught": "Own"}


def test_states_all_does_not_take_an_oversize_output(states: States) -> None:
    machine = {"A": states.call({"do": "blob", "size": LIMIT}, Catch=catch("States.ALL")), **CAUGHT}
    ended = states.run(machine)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_an_output_of_exactly_the_limit_passes(states: States) -> None:
    blob = {"A": states.call({"do": "blob", "size": "{% $states.input.size %}"})}
    # The call's own result carries the payload in an envelope, which counts too.
    envelope = len('{"ExecutedVersion":"$LATEST","Payload":"","StatusCode":200}')
    assert states.run(blob, {"size": LIMIT - envelope})["status"] == "SUCCEEDED"
    assert states.run(blob, {"size": LIMIT - envelope + 1})["error"] == "States.DataLimitExceeded"


def test_an_oversize_output_of_a_pass_state_fails_the_execution(states: States) -> None:
    ended = states.run({"A": {"Type": "Pass", "Output": {"x": "{% $pad('', 300000, 'x') %}"}, "End": True}})
    assert ended["error"] == "States.DataLimitExceeded"


@pytest.mark.parametrize("name", ["States.ALL", "States.Runtime"])
def test_nothing_takes_a_runtime_error(states: States, name: str) -> None:
    machine = {
        "A": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": states.puppet, "Payload.$": "$.missing"},
            "Catch": [{"ErrorEquals": [name], "Next": "B"}],
            "End": True,
        },
        "B": {"Type": "Pass", "End": True},
    }
    assert states.run(machine, QueryLanguage="JSONPath")["error"] == "States.Runtime"


def test_states_task_failed_takes_errors_but_no_timeouts(states: States) -> None:
    failed = {"A": states.call({"do": "raise", "error": "Own"}, Catch=catch("States.TaskFailed")), **CAUGHT}
    timed_out = {
        "A": states.call({"do": "sleep", "seconds": 1.5}, TimeoutSeconds=1, Catch=catch("States.TaskFailed")),
        **CAUGHT,
    }
    assert states.output(failed) == {"caught": "Own"}
    assert states.run(timed_out)["error"] == "States.Timeout"


def test_a_function_that_does_not_exist_is_a_lambda_error(states: States) -> None:
    state = states.call({"do": "echo"}, Catch=catch("Lambda.ResourceNotFoundException"))
    state["Arguments"]["FunctionName"] = "nobody"
    assert states.output({"A": state, **CAUGHT}) == {"caught": "Lambda.ResourceNotFoundException"}


def test_a_retry_repeats_with_its_count_in_the_context(states: States) -> None:
    retry = [
        {"ErrorEquals": ["Own"], "MaxAttempts": 3, "IntervalSeconds": 1, "BackoffRate": 2, "JitterStrategy": "FULL"}
    ]
    event = {"do": "fail_at_first", "name": "retried", "times": 2, "error": "Own"}
    output = {"calls": "{% $states.result.Payload %}", "retries": "{% $states.context.State.RetryCount %}"}
    assert states.output({"A": states.call(event, Retry=retry, Output=output)}) == {"calls": 3, "retries": 2}


def test_exhausted_retries_fall_to_the_catch(states: States) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "IntervalSeconds": 1}]
    machine = {
        "A": states.call({"do": "raise", "error": "Own"}, Retry=retry, Catch=catch("States.ALL")),
        **CAUGHT,
    }
    execution = states.start(machine)
    assert states.ended(execution)["status"] == "SUCCEEDED"
    attempts = [event for event in states.history(execution) if event["type"] == "TaskScheduled"]
    assert len(attempts) == 3


def test_a_task_that_takes_too_long_times_out_and_leaves_no_later_trace(states: States) -> None:
    machine = {
        "A": states.call({"do": "sleep", "seconds": 1.2}, TimeoutSeconds=1, Catch=catch("States.Timeout")),
        "Caught": {"Type": "Wait", "Seconds": 100, "End": True},
    }
    execution = states.start(machine)
    assert states.ended(execution)["status"] == "SUCCEEDED"
    kinds = [event["type"] for event in states.history(execution)]
    assert "TaskTimedOut" in kinds
    assert "TaskSucceeded" not in kinds
