"""What ends executions that could not end themselves: a rule on their status, which calls a function."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_

from cdk.place import Place, logical
from deployment.figures import FIGURES
from discord_agent.declaration import Kind, Ref


def add_rule(stack: Stack, place: Place, aliases: Mapping[str, lambda_.CfnAlias]) -> None:
    """The rule; what cannot be told goes to its own queue of dead letters."""
    rule = FIGURES.status_rule
    told = next(function for function in place.system.functions.values() if function.on_execution_status)
    made = events.CfnRule(
        stack,
        "StatusRule",
        name=rule.name,
        description="executions that ended without saying so",
        state="ENABLED",
        event_pattern={
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {
                "status": list(rule.statuses),
                "stateMachineArn": [place.arn(Ref(Kind.MACHINE, key)) for key in sorted(place.system.machines)],
            },
        },
        targets=[
            events.CfnRule.TargetProperty(
                id=told.name,
                arn=aliases[told.name].ref,
                retry_policy=events.CfnRule.RetryPolicyProperty(
                    maximum_retry_attempts=rule.attempts, maximum_event_age_in_seconds=rule.maximum_age
                ),
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                    arn=place.arn(Ref(Kind.QUEUE, rule.dead_letters))
                ),
            )
        ],
    )
    lambda_.CfnPermission(
        stack,
        f"{logical(told.name)}FromStatusRule",
        action="lambda:InvokeFunction",
        principal="events.amazonaws.com",
        function_name=aliases[told.name].ref,
        source_arn=made.attr_arn,
    )
