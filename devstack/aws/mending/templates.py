"""CloudFormation: properties and kinds of resources that the emulator leaves out are made as AWS makes them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ministack.services import dynamodb, lambda_svc, stepfunctions
from ministack.services.cloudformation import provisioners

type Properties = Mapping[str, Any]
type Made = tuple[str, dict[str, Any]]

_HANDLERS: Final = provisioners._RESOURCE_HANDLERS  # noqa: SLF001 (no public way)
_KEPT_BY_FUNCTIONS: Final = {
    "DeadLetterConfig": "DeadLetterConfig",
    "KmsKeyArn": "KMSKeyArn",
    "TenancyConfig": "TenancyConfig",
}
"""What templates call it, and what the API does."""


def mend() -> None:
    """Have templates do what they say."""
    _refuse_what_is_there("AWS::DynamoDB::Table", "TableName", dynamodb._tables)  # noqa: SLF001 (no public way)
    _keep_what_is_protected()
    _also("AWS::DynamoDB::Table", _table)
    _also("AWS::Lambda::Function", _function)
    _also("AWS::StepFunctions::StateMachine", _machine)
    _HANDLERS["AWS::StepFunctions::StateMachineVersion"] = {
        "create": _publish,
        "delete": lambda arn, _: _must(stepfunctions._delete_state_machine_version({"stateMachineVersionArn": arn})),  # noqa: SLF001
    }
    _HANDLERS["AWS::StepFunctions::StateMachineAlias"] = {
        "create": _create_alias,
        "update": _update_alias,
        "delete": lambda arn, _: _must(stepfunctions._delete_state_machine_alias({"stateMachineAliasArn": arn})),  # noqa: SLF001
    }


def _also(kind: str, then: Callable[[str, Properties], None]) -> None:
    """Do something more once a resource of this kind was made or changed."""
    handler = _HANDLERS[kind]
    create, update = handler["create"], handler["update"]

    def made(*arguments: Any) -> Made:
        done: Made = create(*arguments)
        then(done[0], arguments[1])
        return done

    def changed(*arguments: Any) -> Made:
        done: Made = update(*arguments)
        then(done[0], arguments[2])
        return done

    handler["create"], handler["update"] = made, changed


def _refuse_what_is_there(kind: str, name: str, existing: Mapping[str, Any]) -> None:
    """The emulator would put an empty one in its place."""
    create = _HANDLERS[kind]["create"]

    def made(logical_id: str, properties: Properties, stack: str) -> Made:
        if properties.get(name) in existing:
            raise ValueError(f"{properties[name]} already exists")
        done: Made = create(logical_id, properties, stack)
        return done

    _HANDLERS[kind]["create"] = made


def _keep_what_is_protected() -> None:
    delete = _HANDLERS["AWS::DynamoDB::Table"]["delete"]

    def deleted(name: str, properties: Properties) -> None:
        table = dynamodb._tables.get(name)  # noqa: SLF001 (no public way)
        if table is not None and _is_true(table.get("DeletionProtectionEnabled")):
            raise ValueError(f"Resource cannot be deleted as it is currently protected against deletion: {name}")
        delete(name, properties)

    _HANDLERS["AWS::DynamoDB::Table"]["delete"] = deleted


def _table(name: str, properties: Properties) -> None:
    table = dynamodb._tables[name]  # noqa: SLF001 (no public way)
    table["DeletionProtectionEnabled"] = _is_true(properties.get("DeletionProtectionEnabled"))
    expiry = properties.get("TimeToLiveSpecification")
    if expiry:
        enabled = _is_true(expiry.get("Enabled"))
        _must(dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": {**expiry, "Enabled": enabled}}))  # noqa: SLF001
    recovery = properties.get("PointInTimeRecoverySpecification", {})
    enabled = _is_true(recovery.get("PointInTimeRecoveryEnabled"))
    wanted = {"PointInTimeRecoveryEnabled": enabled}
    _must(dynamodb._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": wanted}))  # noqa: SLF001
    encryption = properties.get("SSESpecification")
    if encryption and table.get("SSEDescription") is None:
        changed = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": encryption.get("KMSMasterKeyId")}
        _must(dynamodb._update_table({"TableName": name, "SSESpecification": changed}))  # noqa: SLF001


def _function(name: str, properties: Properties) -> None:
    function = lambda_svc._functions[name]  # noqa: SLF001 (no public way)
    for template, api in _KEPT_BY_FUNCTIONS.items():
        if template in properties:
            function["config"][api] = properties[template]
        else:
            function["config"].pop(api, None)
    reserved = properties.get("ReservedConcurrentExecutions")
    function["concurrency"] = None if reserved is None else int(reserved)


def _machine(arn: str, properties: Properties) -> None:
    machine = stepfunctions._state_machines[arn]  # noqa: SLF001 (no public way)
    machine["tracingConfiguration"] = {"enabled": _is_true(properties.get("TracingConfiguration", {}).get("Enabled"))}
    logging = properties.get("LoggingConfiguration")
    if logging:
        machine["loggingConfiguration"] = {
            "level": logging.get("Level", "OFF"),
            "includeExecutionData": _is_true(logging.get("IncludeExecutionData")),
            "destinations": [
                {"cloudWatchLogsLogGroup": {"logGroupArn": each["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
                for each in logging.get("Destinations", ())
            ],
        }


def _publish(_: str, properties: Properties, __: str) -> Made:
    request = {"stateMachineArn": properties["StateMachineArn"], "description": properties.get("Description", "")}
    arn = _must(stepfunctions._publish_state_machine_version(request))["stateMachineVersionArn"]  # noqa: SLF001
    return arn, {"Arn": arn}


def _create_alias(_: str, properties: Properties, __: str) -> Made:
    request = {"name": properties["Name"], "routingConfiguration": _routing(properties)}
    arn = _must(stepfunctions._create_state_machine_alias(request))["stateMachineAliasArn"]  # noqa: SLF001
    return arn, {"Arn": arn}


def _update_alias(arn: str, _: Properties, properties: Properties, __: str) -> Made:
    request = {"stateMachineAliasArn": arn, "routingConfiguration": _routing(properties)}
    _must(stepfunctions._update_state_machine_alias(request))  # noqa: SLF001 (no public way)
    return arn, {"Arn": arn}


def _routing(properties: Properties) -> list[dict[str, Any]]:
    return [
        {"stateMachineVersionArn": each["StateMachineVersionArn"], "weight": int(each["Weight"])}
        for each in properties["RoutingConfiguration"]
    ]


def _must(response: Any) -> Any:
    """The body of a service's answer; a refusal fails the resource, as on AWS."""
    status, _, body = response
    if status >= 400:
        raise ValueError(json.loads(body).get("message", body))
    return json.loads(body or b"{}")


def _is_true(value: object) -> bool:
    """Templates carry truth as a word, too."""
    return str(value).lower() == "true"
