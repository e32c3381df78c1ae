"""JSONata in the interpreter, seen through Step Functions' API."""

import hashlib
import json
import uuid
from typing import Any

import pytest

from tests.support.local_aws import States

AWKWARD = 'a "quoted" word, a \\ backslash, a\nnew line, {% braces %} and ünïcode'


def passing(output: Any, **fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Output": output, **({} if "Next" in fields else {"End": True}), **fields}


def test_data_with_quotes_and_newlines_passes_through_expressions(states: States) -> None:
    output = states.output({"A": passing("{% $states.input.text & '!' %}")}, {"text": AWKWARD})
    assert output == f"{AWKWARD}!"


def test_variables_with_quotes_are_values_not_text(states: States) -> None:
    machine = {
        "Keep": passing("{% $states.input %}", Assign={"text": "{% $states.input.text %}"}, Next="Use"),
        "Use": passing({"again": "{% $text %}", "list": "{% [$text, $text] %}"}),
    }
    assert states.output(machine, {"text": AWKWARD}) == {"again": AWKWARD, "list": [AWKWARD, AWKWARD]}


def test_assign_and_output_see_the_variables_of_the_states_entry(states: States) -> None:
    machine = {
        "First": passing("{% $states.input %}", Assign={"n": 1}, Next="Second"),
        "Second": passing({"seen": "{% $n %}"}, Assign={"n": "{% $n + 1 %}", "old": "{% $n %}"}, Next="Third"),
        "Third": passing({"earlier": "{% $states.input.seen %}", "n": "{% $n %}", "old": "{% $old %}"}),
    }
    assert states.output(machine) == {"earlier": 1, "n": 2, "old": 1}


def test_null_is_a_value(states: States) -> None:
    assert states.output({"A": passing({"x": "{% $states.input.x %}"})}, {"x": None}) == {"x": None}


@pytest.mark.parametrize("expression", ["$states.input.missing", "1 + 'a'", "$number('x')", "$unknown()"])
def test_an_expression_without_a_value_is_a_query_evaluation_error(states: States, expression: str) -> None:
    ended = states.run({"A": passing(f"{{% {expression} %}}")})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")


def test_a_query_evaluation_error_in_the_arguments_can_be_caught(states: States) -> None:
    machine = {
        "A": states.call(
            {"do": "echo", "value": "{% $states.input.missing %}"},
            Catch=[{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "B"}],
        ),
        "B": passing("{% $states.input.Error %}"),
    }
    assert states.output(machine) == "States.QueryEvaluationError"


def test_a_catch_shapes_its_output_and_assigns_from_the_error(states: States) -> None:
    machine = {
        "A": states.call(
            {"do": "raise", "error": "Broken", "message": AWKWARD},
            Catch=[
                {
                    "ErrorEquals": ["Broken"],
                    "Assign": {"why": "{% $states.errorOutput.Error %}"},
                    "Output": "{% $merge([$states.input, {'cause': $parse($states.errorOutput.Cause).errorMessage}]) %}",
                    "Next": "B",
                }
            ],
        ),
        "B": passing({"why": "{% $why %}", "input": "{% $states.input %}"}),
    }
    assert states.output(machine, {"kept": 1}) == {"why": "Broken", "input": {"kept": 1, "cause": AWKWARD}}


def test_the_functions_that_step_functions_adds_are_there(states: States) -> None:
    output = states.output(
        {
            "A": passing(
                {
                    "partition": "{% $partition([1, 2, 3], 2) %}",
                    "range": "{% $range(0, 10, 5) %}",
                    "hash": "{% $hash('text', 'SHA-256') %}",
                    "parse": "{% $parse('{\"a\": [1]}') %}",
                    "uuid": "{% $uuid() %}",
                    "same": "{% $random(7) = $random(7) %}",
                }
            )
        }
    )
    assert uuid.UUID(output.pop("uuid")).version == 4
    assert output == {
        "partition": [[1, 2], [3]],
        "range": [0, 5, 10],
        "hash": hashlib.sha256(b"text").hexdigest(),
        "parse": {"a": [1]},
        "same": True,
    }


def test_the_context_object_names_execution_state_and_machine(states: States) -> None:
    context = states.output({"A": passing("{% $states.context %}")}, {"in": 1})
    assert context["Execution"]["Input"] == {"in": 1}
    assert context["State"]["Name"] == "A"
    assert context["StateMachine"]["Id"].endswith(context["StateMachine"]["Name"])
    assert context["Execution"]["StartTime"].endswith("Z")


def test_a_map_reads_outer_variables_and_keeps_order(states: States) -> None:
    inner = {
        "StartAt": "Call",
        "States": {"Call": states.call({"do": "echo", "value": "{% $states.input.item * $factor %}"})},
    }
    machine = {
        "Set": passing("{% $states.input %}", Assign={"factor": 10}, Next="Each"),
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.numbers %}",
            "ItemSelector": {"item": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **inner},
            "MaxConcurrency": 2,
            "End": True,
        },
    }
    assert states.output(machine, {"numbers": [3, 1, 2]}) == [30, 10, 20]


def test_jsonpath_machines_use_variables_too(states: States) -> None:
    machine = {
        "A": {"Type": "Pass", "Assign": {"kept.$": "$.text"}, "Next": "B"},
        "B": {"Type": "Pass", "Parameters": {"again.$": "$kept"}, "End": True},
    }
    assert states.output(machine, {"text": AWKWARD}, QueryLanguage="JSONPath") == {"again": AWKWARD}


def test_the_history_shows_assigned_variables_as_json(states: States) -> None:
    execution = states.start(
        {"A": passing("{% $states.input %}", Assign={"text": "{% $states.input.text %}"})}, {"text": AWKWARD}
    )
    states.ended(execution)
    left = next(event for event in states.history(execution) if event["type"] == "PassStateExited")
    assert json.loads(left["stateExitedEventDetails"]["assignedVariables"]["text"]) == AWKWARD
