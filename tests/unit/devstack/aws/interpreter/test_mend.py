"""The mended interpreter's pure parts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.aws.errors import Unsupported
from devstack.aws.interpreter import lean_import
from devstack.aws.interpreter.catching import takes
from devstack.aws.interpreter.definition import InvalidDefinition, compile_definition
from devstack.aws.interpreter.evaluation import evaluate
from devstack.aws.interpreter.limits import LIMIT, within

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


def test_another_version_of_moto_is_refused_with_the_remedy() -> None:
    with pytest.raises(Unsupported, match=r"moto 9\.9\.9 is installed.*moto==5\.2\.5"):
        lean_import.check_version("9.9.9")


@given(JSON)
def test_data_passes_through_an_expression_unchanged(value: object) -> None:
    assert evaluate("$data", {"data": {"v": value}}) == {"v": value}


@pytest.mark.parametrize(
    ("declared", "error", "taken"),
    [
        (["States.ALL"], "Own", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.ALL"], "States.Runtime", False),
        (["States.Runtime"], "States.Runtime", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.TaskFailed"], "Own", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.Timeout"], "States.HeartbeatTimeout", True),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
        (["Other"], "Own", False),
        (["Other", "Own"], "Own", True),
        (["States.ALL"], None, True),
    ],
)
def test_what_a_retry_or_catch_takes(declared: list[str], error: str | None, *, taken: bool) -> None:
    assert takes(declared, error) is taken


@given(st.integers(0, 5))
def test_the_size_limit_counts_the_bytes_of_json(beyond: int) -> None:
    assert within("ü" * ((LIMIT - 2) // 2 + beyond)) is (beyond == 0)


def test_every_fault_of_a_definition_is_named_with_its_place() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Next": "Gone"}}}
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Parallel", "Branches": [inner], "End": True},
            "Lost": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True},
        },
    }
    with pytest.raises(InvalidDefinition) as refused:
        compile_definition(json.dumps(definition))
    assert str(refused.value).split(", ") == [
        "MISSING_TRANSITION_TARGET: Gone at $.States.A.Branches[0].States.I",
        "UNSUPPORTED_HERE: arn:aws:states:::states:startExecution.sync:2 cannot be run by the embedded Step Functions",
        "at $.States.Lost",
        "MISSING_TRANSITION_TARGET: state Lost is not reachable at $",
    ]
