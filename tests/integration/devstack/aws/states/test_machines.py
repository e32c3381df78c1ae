"""Versions and aliases of state machines, seen through Step Functions' API."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_aws import States


def saying(word: str) -> dict[str, Any]:
    return {"A": {"Type": "Pass", "Output": word, "End": True}}


def definition(states: dict[str, Any]) -> str:
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states})


def published(states: States, machine: str) -> str:
    version: str = states.client.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    return version


def routed(version: str) -> list[Any]:
    return [{"stateMachineVersionArn": version, "weight": 100}]


def said(states: States, arn: str) -> Any:
    execution = states.client.start_execution(stateMachineArn=arn)["executionArn"]
    return json.loads(states.ended(execution)["output"])


def test_an_alias_starts_the_version_it_points_to_until_it_is_moved(states: States) -> None:
    client, machine = states.client, states.create(saying("one"))
    first = published(states, machine)
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routed(first))["stateMachineAliasArn"]
    client.update_state_machine(stateMachineArn=machine, definition=definition(saying("two")))
    assert (said(states, alias), said(states, first), said(states, machine)) == ("one", "one", "two")
    second = published(states, machine)
    client.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routed(second))
    assert (said(states, alias), said(states, first)) == ("two", "one")
    listed = client.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
    assert [each["stateMachineVersionArn"] for each in listed] == [second, first]
    (found,) = client.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"]
    described = client.describe_state_machine_alias(stateMachineAliasArn=found["stateMachineAliasArn"])
    assert (described["name"], described["routingConfiguration"]) == ("live", routed(second))


def test_an_execution_keeps_its_version_and_says_by_what_it_was_started(states: States) -> None:
    client = states.client
    machine = states.create({"W": {"Type": "Wait", "Seconds": 86_400_000, "End": True}})
    version = published(states, machine)
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routed(version))["stateMachineAliasArn"]
    execution = client.start_execution(stateMachineArn=alias)["executionArn"]
    client.update_state_machine(stateMachineArn=machine, definition=definition(saying("two")))
    client.update_state_machine_alias(
        stateMachineAliasArn=alias, routingConfiguration=routed(published(states, machine))
    )
    kept = client.describe_state_machine_for_execution(executionArn=execution)
    described = client.describe_execution(executionArn=execution)
    client.stop_execution(executionArn=execution)
    assert "Wait" in kept["definition"]
    assert described["stateMachineArn"] == machine
    assert (described["stateMachineVersionArn"], described["stateMachineAliasArn"]) == (version, alias)


def test_what_has_not_changed_is_not_published_again(states: States) -> None:
    machine = states.create(saying("one"))
    assert published(states, machine) == published(states, machine) == f"{machine}:1"


def test_a_version_that_an_alias_points_to_stays(states: States) -> None:
    client, machine = states.client, states.create(saying("one"))
    version = published(states, machine)
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routed(version))["stateMachineAliasArn"]
    with pytest.raises(client.exceptions.ConflictException):
        client.delete_state_machine_version(stateMachineVersionArn=version)
    client.delete_state_machine_alias(stateMachineAliasArn=alias)
    client.delete_state_machine_version(stateMachineVersionArn=version)
    for gone in (alias, version):
        with pytest.raises(client.exceptions.StateMachineDoesNotExist):
            client.start_execution(stateMachineArn=gone)


def test_an_alias_points_to_a_version_that_there_is(states: States) -> None:
    machine = states.create(saying("one"))
    for nowhere in (machine, f"{machine}:7"):
        with pytest.raises(ClientError, match="ResourceNotFound"):
            states.client.create_state_machine_alias(name="live", routingConfiguration=routed(nowhere))


def test_a_definition_is_validated_without_making_a_machine(states: States) -> None:
    validate = states.client.validate_state_machine_definition
    assert validate(definition=definition(saying("one")))["result"] == "OK"
    wrong = validate(definition=json.dumps({"StartAt": "Nowhere", "States": saying("one")}))
    assert (wrong["result"], wrong["diagnostics"][0]["severity"]) == ("FAIL", "ERROR")
