"""Functions inside this process answer as those in processes of their own."""

import json
import os
from typing import Any

import pytest

from devstack.aws.errors import StackError
from devstack.aws.stack import LocalAws


def test_events_and_results_pass_through_json(fast_aws: LocalAws) -> None:
    answer = fast_aws.invoke("puppet", {"do": "echo", "value": {"tuple": (1, 2)}})
    assert answer.payload == {"tuple": [1, 2]}


def test_an_error_is_reported_under_its_class_name(fast_aws: LocalAws) -> None:
    failed = fast_aws.invoke("puppet", {"do": "raise", "error": "LeaseLost", "message": "gone"})
    payload: Any = failed.payload
    assert (failed.error, failed.error_type, payload["errorMessage"]) == ("Unhandled", "LeaseLost", "gone")
    assert payload["stackTrace"]


def test_a_result_that_is_no_json_or_too_large_is_an_error(fast_aws: LocalAws) -> None:
    assert fast_aws.invoke("puppet", {"do": "odd"}).error_type == "Runtime.MarshalError"
    oversize = fast_aws.invoke("puppet", {"do": "blob", "size": 6_291_556})
    assert oversize.error_type == "Function.ResponseSizeTooLarge"


def test_the_context_is_lambdas(fast_aws: LocalAws) -> None:
    context: Any = fast_aws.invoke("puppet", {"do": "context"}).payload
    assert (context["name"], context["memory"], context["tenant"]) == ("discord-agent-puppet", "256", None)
    assert 0 < context["remaining"] <= 30_000


def test_boto3_inside_a_function_reaches_the_stack(fast_aws: LocalAws) -> None:
    environment: Any = fast_aws.invoke("puppet", {"do": "environment"}).payload
    own = fast_aws.environment("puppet").items() - {("AWS_ACCESS_KEY_ID", environment["AWS_ACCESS_KEY_ID"])}
    assert {name for name, value in own if environment.get(name) != value} == {"AWS_ACCESS_KEY_ID"}


def test_boto3_invokes_them_too(fast_aws: LocalAws) -> None:
    answer = fast_aws.clients.functions().invoke(
        FunctionName="discord-agent-puppet", Payload=b'{"do": "calls"}', LogType="Tail"
    )
    assert json.load(answer["Payload"])["pid"] == os.getpid()


def test_there_is_no_process_to_kill(fast_aws: LocalAws) -> None:
    with pytest.raises(StackError, match="mode='process'"):
        fast_aws.kill("puppet")
