"""State machines; each deployment that changes one publishes a version, and running executions keep theirs."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aws_cdk import CfnOutput, CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as states

from cdk.logs import add_log_group
from cdk.place import Place, function_arn, logical
from deployment.figures import FIGURES
from discord_agent.declaration import ALIAS, Machine
from discord_agent.statemachines import substituted

_DEFINITIONS: Final = Path(__file__).resolve().parent.parent / "statemachines"


def add_machine(
    stack: Stack, place: Place, machine: Machine, role: iam.CfnRole, calls: Iterable[CfnResource], key: str | None
) -> None:
    """A state machine with its log group, version and alias; the alias is what is started."""
    name = logical(machine.name)
    group = add_log_group(stack, f"{name}Machine", machine.log_group, place.system.log_retention, key)
    text = (_DEFINITIONS / f"{machine.name}.asl.json").read_text(encoding="utf-8")
    definition = substituted(
        text,
        {
            called: f"{function_arn(place.system.functions[called].physical_name)}:{ALIAS}"
            for called in machine.functions
        },
    )
    made = states.CfnStateMachine(
        stack,
        f"{name}Machine",
        state_machine_name=machine.physical_name,
        state_machine_type="STANDARD",
        role_arn=role.attr_arn,
        definition_string=definition,
        # Data of executions is what people wrote: it is seen in the console by those who may, and not copied to the logs.
        logging_configuration=states.CfnStateMachine.LoggingConfigurationProperty(
            level=FIGURES.machine_log_level,
            include_execution_data=False,
            destinations=[
                states.CfnStateMachine.LogDestinationProperty(
                    cloud_watch_logs_log_group=states.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                        log_group_arn=group.attr_arn
                    )
                )
            ],
        ),
        tracing_configuration=states.CfnStateMachine.TracingConfigurationProperty(enabled=True),
    )
    for called in calls:
        # A machine that is there before what it calls would fail the executions that somebody starts meanwhile.
        made.add_resource_dependency(called)
    digest = hashlib.sha256(f"{text}{FIGURES.machine_log_level}".encode()).hexdigest()[:12]
    version = states.CfnStateMachineVersion(stack, f"{name}MachineVersion{digest}", state_machine_arn=made.ref)
    version.apply_removal_policy(RemovalPolicy.RETAIN)
    states.CfnStateMachineAlias(
        stack,
        f"{name}MachineAlias",
        name=ALIAS,
        routing_configuration=[
            states.CfnStateMachineAlias.RoutingConfigurationVersionProperty(
                state_machine_version_arn=version.attr_arn, weight=100
            )
        ],
    )
    CfnOutput(
        stack, f"{name}MachineArn", value=f"{made.ref}:{ALIAS}", description=f"starts executions of {machine.name}"
    )
