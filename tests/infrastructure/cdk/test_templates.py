"""The templates hold what is declared, and what whoever deploys chose."""

import json
from typing import Any

from deployment.figures import FIGURES
from deployment.roles import roles
from discord_agent.declaration import LAYERS
from discord_agent.system import SYSTEM
from tests.infrastructure.cdk.templates import Templates, text

MEANING = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
}
HERE = "eu-west-1:123456789012"


def _variables(templates: Templates, function: str) -> dict[str, str]:
    properties = templates.properties("AWS::Lambda::Function", "FunctionName")[f"discord-agent-{function}"]
    return {name: text(value, MEANING) for name, value in properties["Environment"]["Variables"].items()}


def test_there_is_a_stack_for_each_lifetime(default: Templates) -> None:
    assert default.stacks() == [
        "discord-agent-agent",
        "discord-agent-bridge",
        "discord-agent-data",
        "discord-agent-edge",
        "discord-agent-observability",
    ]


def test_every_declared_thing_is_there_under_its_name_and_nothing_else_of_its_kind(default: Templates) -> None:
    def names(kind: str, name: str) -> set[str]:
        return {str(key) for key in default.properties(kind, name)}

    assert names("AWS::DynamoDB::Table", "TableName") == {table.name for table in SYSTEM.tables.values()}
    assert names("AWS::SQS::Queue", "QueueName") == {queue.name for queue in SYSTEM.queues.values()}
    assert names("AWS::IAM::Role", "RoleName") == {role.name for role in roles(SYSTEM).values()}
    assert names("AWS::Lambda::Function", "FunctionName") == {
        function.physical_name for function in SYSTEM.functions.values()
    }
    assert names("AWS::StepFunctions::StateMachine", "StateMachineName") == {
        machine.physical_name for machine in SYSTEM.machines.values()
    }
    assert names("AWS::CloudWatch::Alarm", "AlarmName") == {alarm.physical_name for alarm in SYSTEM.alarms.values()}
    assert names("AWS::Lambda::LayerVersion", "LayerName") == {
        f"discord-agent-{layer}" for layers in LAYERS.values() for layer in layers
    }


def test_nothing_is_made_that_the_declaration_does_not_ask_for(default: Templates) -> None:
    kinds = {each["Type"] for each in default.all()}
    assert not {kind for kind in kinds if kind.startswith("Custom::")}
    assert not kinds & {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::EC2::NatGateway", "AWS::KMS::Key"}
    assert not [role for role in default.resources("AWS::IAM::Role") if "ManagedPolicyArns" in role["Properties"]]


def test_a_role_may_do_what_its_grants_say(default: Templates) -> None:
    for key, role in roles(SYSTEM).items():
        properties = default.properties("AWS::IAM::Role", "RoleName")[role.name]
        (policy,) = properties["Policies"]
        assert policy["PolicyName"] == FIGURES.policy
        said = [(each["Effect"], each["Action"]) for each in policy["PolicyDocument"]["Statement"]]
        assert said == [("Allow", list(grant.actions)) for grant in role.grants], key


def test_a_reference_becomes_what_a_program_needs_to_use_it(default: Templates) -> None:
    intake = _variables(default, "intake")
    assert intake["DYNAMODB_SESSIONS_TABLE"] == "discord_sessions"
    assert intake["WAKEUPS_QUEUE_URL"] == "https://sqs.eu-west-1.amazonaws.com/123456789012/discord_wakeups"
    assert intake["S3_ARTIFACT_BUCKET"] == "discord-bot-artifacts-123456789012-eu-west-1"
    assert intake["APPROVAL_MACHINE_ARN"] == f"arn:aws:states:{HERE}:stateMachine:discord-agent-approval:live"
    assert intake["DISCORD_BOT_ID"] == "1000"
    assert "MCP_SERVERS" not in intake, "what is empty is left out"
    assert _variables(default, "turn")["SANDBOX_FUNCTION"] == "discord-agent-sandbox:live"


def test_data_outlives_its_stack_and_the_rest_does_not(default: Templates) -> None:
    kept = {each["Type"] for each in default.all() if each.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert kept == {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
    for table in default.resources("AWS::DynamoDB::Table"):
        assert table["Properties"]["DeletionProtectionEnabled"] is True
        assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_a_function_is_called_by_an_alias_of_a_version_that_stays(default: Templates) -> None:
    versions = default.resources("AWS::Lambda::Version")
    assert len(versions) == len(SYSTEM.functions)
    assert {each["DeletionPolicy"] for each in versions} == {"Retain"}
    aliases = default.resources("AWS::Lambda::Alias")
    assert {each["Properties"]["Name"] for each in aliases} == {"live"}
    assert {json.dumps(each["Properties"]["FunctionName"]) for each in aliases} == {
        json.dumps(each["Properties"]["FunctionName"]) for each in versions
    }


def test_the_sandbox_is_an_image_with_an_environment_per_thread_and_a_right_to_write_logs(default: Templates) -> None:
    sandbox = default.properties("AWS::Lambda::Function", "FunctionName")["discord-agent-sandbox"]
    assert sandbox["PackageType"] == "Image"
    assert sandbox["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    assert sandbox["TracingConfig"] == {"Mode": "PassThrough"}
    assert not {"Layers", "Runtime", "Environment"} & sandbox.keys()
    role = default.properties("AWS::IAM::Role", "RoleName")["discord-agent-sandbox"]
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_a_queue_feeds_its_function_with_failures_told_one_by_one(default: Templates) -> None:
    mappings = default.resources("AWS::Lambda::EventSourceMapping")
    declared = [source for function in SYSTEM.functions.values() for source in function.sources]
    assert len(mappings) == len(declared)
    for mapping in mappings:
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"] == 10


def test_the_bridge_is_one_task_that_nobody_can_reach(default: Templates) -> None:
    (service,) = default.resources("AWS::ECS::Service")
    rollout = service["Properties"]["DeploymentConfiguration"]
    assert (rollout["MinimumHealthyPercent"], rollout["MaximumPercent"]) == (0, 100)
    assert rollout["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    (group,) = default.resources("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group["Properties"]
    assert [(each["FromPort"], each["ToPort"]) for each in group["Properties"]["SecurityGroupEgress"]] == [(443, 443)]


def test_settings_change_what_they_are_about(default: Templates, opposite: Templates) -> None:
    def function(templates: Templates, name: str) -> dict[str, Any]:
        return templates.properties("AWS::Lambda::Function", "FunctionName")[f"discord-agent-{name}"]

    assert function(default, "interactions")["ReservedConcurrentExecutions"] == 20
    assert "ReservedConcurrentExecutions" not in function(opposite, "interactions")
    assert "SnapStart" not in function(default, "turn")
    assert function(opposite, "turn")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in function(opposite, "sandbox"), "images do not start from snapshots"
    assert _variables(opposite, "intake")["S3_ARTIFACT_BUCKET"] == "files-of-ours"
    assert _variables(opposite, "turn")["LOG_LEVEL"] == "DEBUG"
    (subscription,) = opposite.resources("AWS::SNS::Subscription")
    assert subscription["Properties"]["Endpoint"] == "somebody@example.com"
    spending = opposite.properties("AWS::CloudWatch::Alarm", "AlarmName")["discord-agent-spending"]
    assert spending["Threshold"] == 2.5


def test_without_the_bridge_only_what_it_said_is_left_of_it(opposite: Templates) -> None:
    assert not opposite.resources("AWS::ECS::Service")
    assert not opposite.resources("AWS::EC2::VPC")
    assert "discord-agent-gateway-bridge" not in opposite.properties("AWS::IAM::Role", "RoleName")
    assert "discord-agent-bridge-down" not in opposite.properties("AWS::CloudWatch::Alarm", "AlarmName")
    assert "/aws/ecs/discord-agent-gateway-bridge" in opposite.properties("AWS::Logs::LogGroup", "LogGroupName")


def test_a_key_of_ones_own_encrypts_everything_that_is_kept(opposite: Templates) -> None:
    (key,) = opposite.resources("AWS::KMS::Key")
    assert key["Properties"]["EnableKeyRotation"] is True
    for kind, name in (
        ("AWS::DynamoDB::Table", "SSESpecification"),
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Lambda::Function", "KmsKeyArn"),
    ):
        assert all(name in each["Properties"] for each in opposite.resources(kind)), kind
    (bucket,) = opposite.resources("AWS::S3::Bucket")
    assert "aws:kms" in json.dumps(bucket["Properties"]["BucketEncryption"])
