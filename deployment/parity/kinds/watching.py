"""The door, the rule on executions, and what watches the system."""

from typing import Final

from deployment.parity.kinds.model import As, Block, Kind, Mapped, Part, by, computed
from deployment.parity.values import Value, by_key, parsed, policy, without_star


def _topic_of(arns: Value) -> Value:
    return arns[0] if isinstance(arns, list) and len(arns) == 1 else arns


def _targets(targets: Value) -> Value:
    return {each["Id"]: {key: value for key, value in each.items() if key != "Id"} for each in targets}


def _one_target(said: Value) -> Value:
    target = said.pop("Target")
    return said | {"Targets": _targets([target])}


KINDS: Final = (
    Kind("log group", "AWS::Logs::LogGroup", by("LogGroupName"), defaults={"LogGroupClass": "STANDARD"}),
    Kind(
        "api",
        "AWS::ApiGatewayV2::Api",
        by("Name"),
        defaults={
            "DisableExecuteApiEndpoint": False,
            "ApiKeySelectionExpression": "$request.header.x-api-key",
            "RouteSelectionExpression": "$request.method $request.path",
        },
    ),
    Kind(
        "api integration",
        "AWS::ApiGatewayV2::Integration",
        by("ApiId", "IntegrationUri"),
        defaults={"ConnectionType": "INTERNET", "TimeoutInMillis": 30000},
    ),
    Kind(
        "api route",
        "AWS::ApiGatewayV2::Route",
        by("ApiId", "RouteKey"),
        defaults={"ApiKeyRequired": False, "AuthorizationType": "NONE"},
    ),
    Kind(
        "api stage",
        "AWS::ApiGatewayV2::Stage",
        by("ApiId", "StageName"),
        defaults={
            "DefaultRouteSettings.DataTraceEnabled": False,
            "DefaultRouteSettings.DetailedMetricsEnabled": False,
        },
        reads={"AccessLogSettings.Format": parsed, "AccessLogSettings.DestinationArn": without_star},
    ),
    Kind(
        "rule",
        "AWS::Events::Rule",
        by("Name"),
        defaults={"State": "ENABLED", "EventBusName": "default"},
        reads={"Targets": _targets},
        unordered=("EventPattern.detail.stateMachineArn", "EventPattern.detail.status"),
    ),
    Kind(
        "topic", "AWS::SNS::Topic", by("TopicName"), defaults={"FifoTopic": False, "ContentBasedDeduplication": False}
    ),
    Kind("topic policy", "AWS::SNS::TopicPolicy", by("Topics"), reads={"PolicyDocument": policy, "Topics": _topic_of}),
    Kind(
        "subscription",
        "AWS::SNS::Subscription",
        by("TopicArn", "Protocol", "Endpoint"),
        defaults={"RawMessageDelivery": False},
    ),
    Kind(
        "alarm",
        "AWS::CloudWatch::Alarm",
        by("AlarmName"),
        defaults={"ActionsEnabled": True, "TreatMissingData": "missing"},
        reads={"Dimensions": by_key("Name")},
    ),
    Kind("dashboard", "AWS::CloudWatch::Dashboard", by("DashboardName"), reads={"DashboardBody": parsed}),
)

MAPPED: Final = (
    Mapped(
        "aws_cloudwatch_log_group",
        (
            Part(
                "log group",
                {
                    "name": "LogGroupName",
                    "retention_in_days": "RetentionInDays",
                    "kms_key_id": "KmsKeyId",
                    "log_group_class": "LogGroupClass",
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_apigatewayv2_api",
        (
            Part(
                "api",
                {
                    "name": "Name",
                    "description": "Description",
                    "protocol_type": "ProtocolType",
                    "disable_execute_api_endpoint": "DisableExecuteApiEndpoint",
                    "api_key_selection_expression": "ApiKeySelectionExpression",
                    "route_selection_expression": "RouteSelectionExpression",
                    "ip_address_type": "IpAddressType",
                    "version": "Version",
                },
            ),
        ),
        computed("api_endpoint", "execution_arn"),
    ),
    Mapped(
        "aws_apigatewayv2_integration",
        (
            Part(
                "api integration",
                {
                    "api_id": "ApiId",
                    "connection_type": "ConnectionType",
                    "description": "Description",
                    "integration_method": "IntegrationMethod",
                    "integration_type": "IntegrationType",
                    "integration_uri": "IntegrationUri",
                    "payload_format_version": "PayloadFormatVersion",
                    "timeout_milliseconds": "TimeoutInMillis",
                },
            ),
        ),
        computed("integration_response_selection_expression"),
    ),
    Mapped(
        "aws_apigatewayv2_route",
        (
            Part(
                "api route",
                {
                    "api_id": "ApiId",
                    "route_key": "RouteKey",
                    "target": "Target",
                    "authorization_type": "AuthorizationType",
                    "api_key_required": "ApiKeyRequired",
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_apigatewayv2_stage",
        (
            Part(
                "api stage",
                {
                    "api_id": "ApiId",
                    "name": "StageName",
                    "auto_deploy": "AutoDeploy",
                    "description": "Description",
                    "access_log_settings": Block(
                        "AccessLogSettings",
                        {"destination_arn": As("DestinationArn", without_star), "format": As("Format", parsed)},
                    ),
                    "default_route_settings": Block(
                        "DefaultRouteSettings",
                        {
                            "data_trace_enabled": "DataTraceEnabled",
                            "detailed_metrics_enabled": "DetailedMetricsEnabled",
                            "logging_level": "LoggingLevel",
                            "throttling_burst_limit": "ThrottlingBurstLimit",
                            "throttling_rate_limit": "ThrottlingRateLimit",
                        },
                    ),
                },
            ),
        ),
        computed("deployment_id", "execution_arn", "invoke_url"),
    ),
    Mapped(
        "aws_cloudwatch_event_rule",
        (
            Part(
                "rule",
                {
                    "name": "Name",
                    "description": "Description",
                    "event_bus_name": "EventBusName",
                    "event_pattern": As("EventPattern", parsed),
                    "role_arn": "RoleArn",
                    "schedule_expression": "ScheduleExpression",
                    "state": "State",
                },
            ),
        ),
        # Said by ``state`` too.
        computed("is_enabled"),
    ),
    Mapped(
        "aws_cloudwatch_event_target",
        (
            Part(
                "rule",
                {
                    "rule": "Name",
                    "event_bus_name": "EventBusName",
                    "target_id": "Target.Id",
                    "arn": "Target.Arn",
                    "dead_letter_config": Block("Target.DeadLetterConfig", {"arn": "Arn"}),
                    "retry_policy": Block(
                        "Target.RetryPolicy",
                        {
                            "maximum_event_age_in_seconds": "MaximumEventAgeInSeconds",
                            "maximum_retry_attempts": "MaximumRetryAttempts",
                        },
                    ),
                },
                finish=_one_target,
            ),
        ),
        computed() - {"arn"},
    ),
    Mapped(
        "aws_sns_topic",
        (
            Part(
                "topic",
                {
                    "name": "TopicName",
                    "display_name": "DisplayName",
                    "kms_master_key_id": "KmsMasterKeyId",
                    "fifo_topic": "FifoTopic",
                    "content_based_deduplication": "ContentBasedDeduplication",
                },
            ),
        ),
        # The policy is a resource of its own.
        computed("owner", "policy"),
    ),
    Mapped(
        "aws_sns_topic_policy",
        (Part("topic policy", {"arn": "Topics", "policy": As("PolicyDocument", policy)}),),
        computed("owner") - {"arn"},
    ),
    Mapped(
        "aws_sns_topic_subscription",
        (
            Part(
                "subscription",
                {
                    "topic_arn": "TopicArn",
                    "protocol": "Protocol",
                    "endpoint": "Endpoint",
                    "raw_message_delivery": "RawMessageDelivery",
                },
            ),
        ),
        computed(
            "confirmation_timeout_in_minutes", "confirmation_was_authenticated", "owner_id", "pending_confirmation"
        ),
    ),
    Mapped(
        "aws_cloudwatch_metric_alarm",
        (
            Part(
                "alarm",
                {
                    "alarm_name": "AlarmName",
                    "alarm_description": "AlarmDescription",
                    "namespace": "Namespace",
                    "metric_name": "MetricName",
                    "statistic": "Statistic",
                    "comparison_operator": "ComparisonOperator",
                    "period": "Period",
                    "evaluation_periods": "EvaluationPeriods",
                    "threshold": "Threshold",
                    "treat_missing_data": "TreatMissingData",
                    "dimensions": "Dimensions",
                    "actions_enabled": "ActionsEnabled",
                    "alarm_actions": "AlarmActions",
                    "ok_actions": "OKActions",
                    "insufficient_data_actions": "InsufficientDataActions",
                    "unit": "Unit",
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_cloudwatch_dashboard",
        (Part("dashboard", {"dashboard_name": "DashboardName", "dashboard_body": As("DashboardBody", parsed)}),),
        computed("dashboard_arn"),
    ),
)
