"""Layers, functions, their aliases and sources, and the state machines."""

import base64
import re
from typing import Final

from deployment.parity.kinds.model import As, Block, Kind, Mapped, Part, by, computed
from deployment.parity.values import Value, parsed, without_star

PUBLISHED: Final = "what was published last"
_MACHINE_VERSION: Final = re.compile(r"^(arn:[^:]+:states:[^:]*:\d{12}:stateMachine:[\w-]+):\d+$")


def code(digest: str) -> dict[str, str]:
    """A package by what is in it."""
    return {"sha256": digest}


def _digest(encoded: Value) -> Value:
    return code(base64.b64decode(encoded, validate=True).hex()) if encoded else None


def _published(version: Value) -> Value:
    """Versions are numbered by AWS; an alias points to one of them."""
    return PUBLISHED if str(version).isdecimal() else version


def machine_version(arn: Value) -> Value:
    """The ARN of a machine's version without its number."""
    found = _MACHINE_VERSION.match(str(arn))
    return f"{found[1]}:{PUBLISHED}" if found else arn


def _routing(routes: Value) -> Value:
    return [each | {"StateMachineVersionArn": machine_version(each["StateMachineVersionArn"])} for each in routes]


def _machine_of(routes: Value) -> Value:
    return str(routes[0]["StateMachineVersionArn"]).rpartition(":")[0] if routes else None


def _log_destinations(destinations: Value) -> Value:
    return [without_star(each["CloudWatchLogsLogGroup"]["LogGroupArn"]) for each in destinations]


def _qualified(said: Value) -> Value:
    qualifier = said.pop("Qualifier", None)
    return said | ({"FunctionName": f"{said['FunctionName']}:{qualifier}"} if qualifier else {})


def _period(seconds: Value) -> Value:
    """Zero where AWS's own key needs none."""
    return seconds or None


def _unreserved(count: Value) -> Value:
    """Terraform says -1 where nothing is reserved."""
    return None if count == -1 else count


_FUNCTION: Final = {"FunctionName": ("lambda", "function:")}

KINDS: Final = (
    Kind("stack", "AWS::CloudFormation::Stack", by("StackName")),
    Kind("layer", "AWS::Lambda::LayerVersion", by("LayerName")),
    Kind(
        "function",
        "AWS::Lambda::Function",
        by("FunctionName"),
        defaults={
            "PackageType": "Zip",
            "TracingConfig.Mode": "PassThrough",
            "EphemeralStorage.Size": 512,
            "SnapStart.ApplyOn": "None",
        },
        templates_only=frozenset({"TenancyConfig"}),
    ),
    Kind(
        "function version",
        "AWS::Lambda::Version",
        by("FunctionName"),
        defaults={"Published": True},
        by_arn=_FUNCTION,
    ),
    Kind(
        "function alias",
        "AWS::Lambda::Alias",
        by("FunctionName", "Name"),
        reads={"FunctionVersion": _published},
        by_arn=_FUNCTION,
    ),
    Kind(
        "event source",
        "AWS::Lambda::EventSourceMapping",
        by("EventSourceArn", "FunctionName"),
        defaults={"Enabled": True, "MaximumBatchingWindowInSeconds": 0, "BisectBatchOnFunctionError": False},
        by_arn=_FUNCTION,
    ),
    Kind(
        "permission",
        "AWS::Lambda::Permission",
        by("FunctionName", "Principal"),
        by_arn=_FUNCTION,
    ),
    Kind(
        "machine",
        "AWS::StepFunctions::StateMachine",
        by("StateMachineName"),
        defaults={
            "StateMachineType": "STANDARD",
            "EncryptionConfiguration.Type": "AWS_OWNED_KEY",
            "LoggingConfiguration.IncludeExecutionData": False,
        },
        reads={"DefinitionString": parsed, "LoggingConfiguration.Destinations": _log_destinations},
    ),
    Kind(
        "machine version",
        "AWS::StepFunctions::StateMachineVersion",
        by("StateMachineArn"),
        defaults={"Published": True},
        by_arn={"StateMachineArn": ("states", "stateMachine:")},
    ),
    Kind(
        "machine alias",
        "AWS::StepFunctions::StateMachineAlias",
        lambda values: f"{_machine_of(values.get('RoutingConfiguration'))} {values.get('Name')}",
        reads={"RoutingConfiguration": _routing},
    ),
)

MAPPED: Final = (
    Mapped(
        "aws_lambda_layer_version",
        (
            Part(
                "layer",
                {
                    "layer_name": "LayerName",
                    "description": "Description",
                    "license_info": "LicenseInfo",
                    "compatible_runtimes": "CompatibleRuntimes",
                    "compatible_architectures": "CompatibleArchitectures",
                    "source_code_hash": As("Content", _digest),
                },
            ),
        ),
        # Where a package lies is each tool's own; what is in it is compared.
        computed(
            "code_sha256",
            "created_date",
            "filename",
            "layer_arn",
            "s3_bucket",
            "s3_key",
            "source_code_size",
            "version",
        ),
    ),
    Mapped(
        "aws_lambda_function",
        (
            Part(
                "function",
                {
                    "function_name": "FunctionName",
                    "description": "Description",
                    "role": "Role",
                    "runtime": "Runtime",
                    "handler": "Handler",
                    "architectures": "Architectures",
                    "memory_size": "MemorySize",
                    "timeout": "Timeout",
                    "layers": "Layers",
                    "package_type": "PackageType",
                    "source_code_hash": As("Code", _digest),
                    "kms_key_arn": "KmsKeyArn",
                    "reserved_concurrent_executions": As("ReservedConcurrentExecutions", _unreserved),
                    "environment": Block("Environment", {"variables": "Variables"}),
                    "tracing_config": Block("TracingConfig", {"mode": "Mode"}),
                    "ephemeral_storage": Block("EphemeralStorage", {"size": "Size"}),
                    "dead_letter_config": Block("DeadLetterConfig", {"target_arn": "TargetArn"}),
                    "logging_config": Block(
                        "LoggingConfig",
                        {
                            "log_format": "LogFormat",
                            "log_group": "LogGroup",
                            "application_log_level": "ApplicationLogLevel",
                            "system_log_level": "SystemLogLevel",
                        },
                    ),
                    "snap_start": Block("SnapStart", {"apply_on": "ApplyOn"}),
                },
            ),
            Part("function version", {"function_name": "FunctionName", "publish": "Published"}),
        ),
        computed(
            "code_sha256",
            "filename",
            "invoke_arn",
            "last_modified",
            "qualified_arn",
            "qualified_invoke_arn",
            "source_code_size",
            "version",
        ),
    ),
    Mapped(
        "aws_lambda_alias",
        (
            Part(
                "function alias",
                {
                    "name": "Name",
                    "description": "Description",
                    "function_name": "FunctionName",
                    "function_version": As("FunctionVersion", _published),
                },
            ),
        ),
        computed("invoke_arn"),
    ),
    Mapped(
        "aws_lambda_event_source_mapping",
        (
            Part(
                "event source",
                {
                    "function_name": "FunctionName",
                    "event_source_arn": "EventSourceArn",
                    "enabled": "Enabled",
                    "batch_size": "BatchSize",
                    "function_response_types": "FunctionResponseTypes",
                    "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
                    "bisect_batch_on_function_error": "BisectBatchOnFunctionError",
                    "kms_key_arn": "KmsKeyArn",
                    "filter_criteria": Block(
                        "FilterCriteria", {"filter": Block("Filters", {"pattern": "Pattern"}, many=True)}
                    ),
                    "scaling_config": Block("ScalingConfig", {"maximum_concurrency": "MaximumConcurrency"}),
                },
            ),
        ),
        computed("function_arn", "last_modified", "last_processing_result", "state", "state_transition_reason", "uuid"),
    ),
    Mapped(
        "aws_lambda_permission",
        (
            Part(
                "permission",
                {
                    "action": "Action",
                    "principal": "Principal",
                    "function_name": "FunctionName",
                    "qualifier": "Qualifier",
                    "source_arn": "SourceArn",
                    "source_account": "SourceAccount",
                },
                finish=_qualified,
            ),
        ),
        # Terraform makes up an identifier where none is given, as CloudFormation always does.
        computed("statement_id"),
    ),
    Mapped(
        "aws_sfn_state_machine",
        (
            Part(
                "machine",
                {
                    "name": "StateMachineName",
                    "type": "StateMachineType",
                    "role_arn": "RoleArn",
                    "definition": As("DefinitionString", parsed),
                    "tracing_configuration": Block("TracingConfiguration", {"enabled": "Enabled"}),
                    "encryption_configuration": Block(
                        "EncryptionConfiguration",
                        {
                            "type": "Type",
                            "kms_key_id": "KmsKeyId",
                            "kms_data_key_reuse_period_seconds": As("KmsDataKeyReusePeriodSeconds", _period),
                        },
                    ),
                    "logging_configuration": Block(
                        "LoggingConfiguration",
                        {
                            "level": "Level",
                            "include_execution_data": "IncludeExecutionData",
                            "log_destination": As("Destinations", lambda arn: [without_star(arn)]),
                        },
                    ),
                },
            ),
            Part("machine version", {"name": "StateMachineArn", "publish": "Published"}),
        ),
        computed("creation_date", "revision_id", "state_machine_version_arn", "status"),
    ),
    Mapped(
        "aws_sfn_alias",
        (
            Part(
                "machine alias",
                {
                    "name": "Name",
                    "description": "Description",
                    "routing_configuration": Block(
                        "RoutingConfiguration",
                        {
                            "state_machine_version_arn": As("StateMachineVersionArn", machine_version),
                            "weight": "Weight",
                        },
                        many=True,
                    ),
                },
            ),
        ),
        computed("creation_date"),
    ),
)
