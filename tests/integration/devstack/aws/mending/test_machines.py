"""Step Functions as the emulator plays it, where it did otherwise than AWS."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.emulator import emulator

PASSES = json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}})
ROLE = "arn:aws:iam::123456789012:role/machine"


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    with emulator() as emulated:
        yield emulated.client("stepfunctions")


def test_a_machine_that_is_gone_may_be_deleted_again_as_a_repeated_request_does(machines: Any) -> None:
    arn = machines.create_state_machine(name="passes", definition=PASSES, roleArn=ROLE)["stateMachineArn"]
    for _ in range(2):
        machines.delete_state_machine(stateMachineArn=arn)
    assert machines.list_state_machines()["stateMachines"] == []


def test_a_machine_keeps_whether_it_is_traced(machines: Any) -> None:
    made = machines.create_state_machine(
        name="traced", definition=PASSES, roleArn=ROLE, tracingConfiguration={"enabled": True}
    )
    arn = made["stateMachineArn"]
    assert machines.describe_state_machine(stateMachineArn=arn)["tracingConfiguration"] == {"enabled": True}
    machines.update_state_machine(stateMachineArn=arn, tracingConfiguration={"enabled": False})
    assert machines.describe_state_machine(stateMachineArn=arn)["tracingConfiguration"] == {"enabled": False}
