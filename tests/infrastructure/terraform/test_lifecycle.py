"""What is applied is there, stays as it is, changes when it is told to, and goes without its data."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployment.terraform import TerraformFailed, holds_data
from discord_agent.declaration import ALIAS
from discord_agent.system import SYSTEM
from tests.infrastructure.terraform.conftest import Applied


def test_an_apply_that_was_cut_off_ends_when_it_is_repeated(applied: Applied) -> None:
    everything = len(applied.terraform.addresses())
    assert 0 < applied.interrupted_at < everything


def test_everything_that_is_declared_is_there(applied: Applied) -> None:
    functions = applied.client("lambda")
    for function in SYSTEM.functions.values():
        made: Any = functions.get_function(FunctionName=function.physical_name, Qualifier=ALIAS)["Configuration"]
        assert (made["MemorySize"], made["Timeout"]) == (function.memory, function.timeout)
    names = {each["name"] for each in applied.client("stepfunctions").list_state_machines()["stateMachines"]}
    assert names == {machine.physical_name for machine in SYSTEM.machines.values()}
    tables = applied.client("dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == sorted(table.name for table in SYSTEM.tables.values())


def test_what_people_need_of_it_is_told(applied: Applied) -> None:
    outputs = applied.terraform.outputs()
    assert outputs["interactions_url"].endswith("/interactions")
    queue = applied.client("sqs").get_queue_attributes(
        QueueUrl=outputs["agentic_events_queue_url"], AttributeNames=["QueueArn"]
    )
    assert queue["Attributes"]["QueueArn"].endswith(":agentic_events")


def test_a_second_apply_would_change_nothing(applied: Applied) -> None:
    assert applied.terraform.plan(applied.variables) == ""


def test_a_bucket_of_somebody_else_is_refused_and_what_is_there_stays(applied: Applied) -> None:
    applied.client("s3").create_bucket(Bucket="somebody-elses-bucket")
    taken = {**applied.variables, "artifact_bucket": "somebody-elses-bucket", "account": "999999999999"}
    with pytest.raises(TerraformFailed, match="AWS account ID not allowed"):
        applied.terraform.apply(taken)
    assert applied.terraform.plan(applied.variables) == ""


def test_a_change_arrives_behind_the_alias_and_data_survives_the_end_of_everything_else(applied: Applied) -> None:
    here = applied.terraform
    functions = applied.client("lambda")

    def version() -> str:
        return str(functions.get_alias(FunctionName="discord-agent-fail", Name=ALIAS)["FunctionVersion"])

    before = version()
    changed = {**applied.variables, "log_level": "DEBUG"}
    here.apply(changed, targets=['module.function["fail"]'])
    assert version() != before
    live = functions.get_function_configuration(FunctionName="discord-agent-fail", Qualifier=ALIAS)
    assert live["Environment"]["Variables"]["LOG_LEVEL"] == "DEBUG"

    table = applied.client("dynamodb")
    table.put_item(TableName="discord_sessions", Item={"thread_id": {"S": "1"}, "record": {"S": "session"}})
    here.destroy(changed, keep_data=True)
    assert all(holds_data(address) for address in here.addresses())
    assert functions.list_functions()["Functions"] == []
    assert table.get_item(TableName="discord_sessions", Key={"thread_id": {"S": "1"}, "record": {"S": "session"}})[
        "Item"
    ]

    here.destroy(changed, keep_data=False)
    assert here.addresses() == []
    assert table.list_tables()["TableNames"] == []
    with pytest.raises(ClientError):
        applied.client("s3").head_bucket(Bucket="discord-bot-artifacts-123456789012-us-east-1")
