"""Alarms, the topic they are told to, and the dashboard; all drawn from the declaration."""

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns

from cdk.findings import meant
from cdk.place import TLS_ONLY, Place, here, logical
from cdk.roles import VERSION
from deployment import dashboard
from deployment.figures import FIGURES
from deployment.settings import Settings
from discord_agent.declaration import Alarm, Ref


def add_observability(stack: Stack, place: Place, key: str | None) -> None:
    """Everything that watches the system."""
    topic = _topic(stack, place.settings, key)
    for name, alarm in place.system.alarms.items():
        if not alarm.only_with or place.settings.on(alarm.only_with):
            _alarm(stack, place, name, alarm, topic)
    body = dashboard.body(place.system, place.settings.values)
    cloudwatch.CfnDashboard(
        stack,
        "Dashboard",
        dashboard_name=FIGURES.dashboard,
        dashboard_body=here(body),
    )
    CfnOutput(
        stack,
        "DashboardUrl",
        value=f"https://{Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region={Aws.REGION}"
        f"#dashboards/dashboard/{FIGURES.dashboard}",
        description="the system at a glance",
    )
    CfnOutput(stack, "AlarmTopicArn", value=topic, description="subscribe to it to be told of alarms")


def _topic(stack: Stack, settings: Settings, key: str | None) -> str:
    made = sns.CfnTopic(stack, "AlarmTopic", topic_name=FIGURES.alarm_topic, kms_master_key_id=key)
    sns.CfnTopicPolicy(
        stack,
        "AlarmTopicPolicy",
        topics=[made.ref],
        policy_document={
            "Version": VERSION,
            "Statement": [
                {
                    "Effect": "Deny",
                    "Principal": {"AWS": "*"},
                    "Action": "sns:Publish",
                    "Resource": made.ref,
                    "Condition": TLS_ONLY,
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": made.ref,
                    "Condition": {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                },
            ],
        },
    )
    if settings["alarm_email"]:
        email = sns.CfnSubscription(
            stack, "AlarmEmail", topic_arn=made.ref, protocol="email", endpoint=settings["alarm_email"]
        )
        meant(
            email,
            "a letter that does not arrive is told nowhere else; the alarm stays on",
            "Serverless-SNSRedrivePolicy",
        )
    return str(made.ref)


def _alarm(stack: Stack, place: Place, name: str, alarm: Alarm, topic: str) -> None:
    threshold = alarm.threshold
    cloudwatch.CfnAlarm(
        stack,
        f"{logical(name)}Alarm",
        alarm_name=alarm.physical_name,
        alarm_description=alarm.description,
        namespace=alarm.metric.namespace,
        metric_name=alarm.metric.name,
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(
                name=dimension, value=place.name(value) if isinstance(value, Ref) else value
            )
            for dimension, value in alarm.metric.dimensions
        ],
        statistic=alarm.statistic,
        comparison_operator=alarm.comparison.value,
        period=alarm.period,
        evaluation_periods=alarm.periods,
        threshold=float(place.settings[threshold.key]) if isinstance(threshold, Ref) else threshold,
        treat_missing_data=alarm.missing.value,
        alarm_actions=[topic],
        ok_actions=[topic],
    )
