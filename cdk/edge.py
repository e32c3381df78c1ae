"""The door for Discord's HTTP interactions: an API that calls one function, throttled and logged."""

import json

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_lambda as lambda_

from cdk.findings import meant
from cdk.logs import add_log_group
from cdk.place import Place, arn, function_arn, logical
from deployment.figures import FIGURES
from discord_agent.declaration import ALIAS, Function


def add_edge(stack: Stack, place: Place, key: str | None) -> None:
    """The API with a route for each function that has a path."""
    figures = FIGURES.api
    group = add_log_group(stack, "Api", figures.log_group, place.system.log_retention, key)
    api = gateway.CfnApi(stack, "Api", name=figures.name, protocol_type="HTTP")
    gateway.CfnStage(
        stack,
        "ApiStage",
        api_id=api.ref,
        stage_name=figures.stage,
        auto_deploy=True,
        access_log_settings=gateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=arn("logs", f"log-group:{group.ref}"), format=json.dumps(dict(figures.access_log))
        ),
        default_route_settings=gateway.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=figures.rate, throttling_burst_limit=figures.burst
        ),
    )
    for function in place.system.functions.values():
        if function.path:
            _route(stack, api, function)


def _route(stack: Stack, api: gateway.CfnApi, function: Function) -> None:
    name = logical(function.name)
    called = f"{function_arn(function.physical_name)}:{ALIAS}"
    integration = gateway.CfnIntegration(
        stack,
        f"{name}Integration",
        api_id=api.ref,
        integration_type="AWS_PROXY",
        integration_method="POST",
        integration_uri=called,
        payload_format_version=FIGURES.api.payload_format,
    )
    route = gateway.CfnRoute(
        stack,
        f"{name}Route",
        api_id=api.ref,
        route_key=f"POST {function.path}",
        target=f"integrations/{integration.ref}",
        authorization_type="NONE",
    )
    meant(
        route,
        "Discord signs its requests and can do nothing else; the function verifies the signature before anything",
        "AwsSolutions-APIG4",
    )
    lambda_.CfnPermission(
        stack,
        f"{name}FromApi",
        action="lambda:InvokeFunction",
        principal="apigateway.amazonaws.com",
        function_name=called,
        source_arn=arn("execute-api", f"{api.ref}/*/POST{function.path}"),
    )
    CfnOutput(
        stack,
        f"{name}Url",
        value=f"{api.attr_api_endpoint}{function.path}",
        description="what Discord is told as the interactions endpoint",
    )
