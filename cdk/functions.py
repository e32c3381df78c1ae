"""Layers and functions; each deployment that changes a function publishes a version, which the alias then points to."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_s3_assets import Asset

from cdk.findings import meant
from cdk.images import Image
from cdk.logs import add_log_group
from cdk.place import Place, logical
from deployment.figures import FIGURES
from deployment.packages.build import Packages
from discord_agent.declaration import ALIAS, LAYERS, PREFIX, Function, Kind, Ref

_Function: Final = lambda_.CfnFunction


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's ARN, and the digest of what is in it."""

    arn: str
    digest: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What functions are put together from; ``key`` is the ARN of the key that encrypts, if there is one."""

    place: Place
    packages: Packages
    layers: Mapping[str, Layer]
    roles: Mapping[str, iam.CfnRole]
    sandbox: Image
    key: str | None


def add_layers(stack: Stack, place: Place, packages: Packages) -> dict[str, Layer]:
    """Every layer by its name."""
    names = sorted({layer for layers in LAYERS.values() for layer in layers})
    return {name: _layer(stack, place, name, packages.layer(name)) for name in names}


def add_function(stack: Stack, parts: Parts, function: Function) -> lambda_.CfnAlias:
    """A function with its log group, role, version, sources and alias; the alias is what others call."""
    place, name = parts.place, logical(function.name)
    group = add_log_group(stack, name, function.log_group, place.system.log_retention, parts.key)
    properties = {
        **_common(parts, function, group.ref),
        **(_image(parts) if function.tenant_isolated else _zip(stack, parts, function)),
    }
    made = lambda_.CfnFunction(stack, f"{name}Function", **properties)
    _explain(made, function)
    layers = [parts.layers[layer].digest for layer in LAYERS[function.package]]
    version = lambda_.CfnVersion(stack, f"{name}Version{_digest(stack, properties, layers)}", function_name=made.ref)
    # Versions stay while the function does: to go back is to point the alias to an older one.
    version.apply_removal_policy(RemovalPolicy.RETAIN)
    alias = lambda_.CfnAlias(
        stack, f"{name}Alias", name=ALIAS, function_name=made.ref, function_version=version.attr_version
    )
    for source in function.sources:
        mapping = lambda_.CfnEventSourceMapping(
            stack,
            f"{name}From{logical(source.queue)}",
            function_name=alias.ref,
            event_source_arn=place.arn(Ref(Kind.QUEUE, source.queue)),
            batch_size=source.batch_size,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=source.maximum_concurrency
            ),
        )
        meant(
            mapping,
            "SQS itself moves what failed to the queue's dead letters",
            "Serverless-LambdaEventSourceMappingDestination",
        )
    return alias


def _layer(stack: Stack, place: Place, name: str, archive: Path) -> Layer:
    asset = Asset(stack, f"{logical(name)}Code", path=str(archive))
    made = lambda_.CfnLayerVersion(
        stack,
        f"{logical(name)}Layer",
        layer_name=f"{PREFIX}-{name}",
        compatible_runtimes=[FIGURES.runtime],
        compatible_architectures=[place.settings["architecture"]],
        content=lambda_.CfnLayerVersion.ContentProperty(s3_bucket=asset.s3_bucket_name, s3_key=asset.s3_object_key),
    )
    return Layer(made.ref, asset.asset_hash)


def _common(parts: Parts, function: Function, group: str) -> dict[str, Any]:
    place = parts.place
    reserves = place.settings.on("reserve_concurrency")
    variables = place.environment(function)
    return {
        "function_name": function.physical_name,
        "description": function.purpose,
        "role": parts.roles[f"function/{function.name}"].attr_arn,
        "architectures": [place.settings["architecture"]],
        "memory_size": function.memory,
        "timeout": function.timeout,
        "environment": _Function.EnvironmentProperty(variables=variables) if variables else None,
        "logging_config": _Function.LoggingConfigProperty(log_format="JSON", log_group=group),
        "reserved_concurrent_executions": function.reserved if reserves else None,
        "kms_key_arn": parts.key,
        "dead_letter_config": _Function.DeadLetterConfigProperty(
            target_arn=place.arn(Ref(Kind.QUEUE, function.dead_letters))
        )
        if function.dead_letters
        else None,
    }


def _zip(stack: Stack, parts: Parts, function: Function) -> dict[str, Any]:
    code = Asset(stack, f"{logical(function.name)}Code", path=str(parts.packages.function(function.name)))
    return {
        "runtime": FIGURES.runtime,
        "handler": FIGURES.handler,
        "code": _Function.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
        "layers": [parts.layers[layer].arn for layer in LAYERS[function.package]],
        "tracing_config": _Function.TracingConfigProperty(mode="Active"),
        "snap_start": _Function.SnapStartProperty(apply_on="PublishedVersions")
        if parts.place.settings.on("snap_start")
        else None,
    }


def _image(parts: Parts) -> dict[str, Any]:
    """What runs a model's commands: an environment of its own per thread, and no rights, not even to be traced."""
    return {
        "package_type": "Image",
        "code": _Function.CodeProperty(image_uri=parts.sandbox.uri),
        "tenancy_config": _Function.TenancyConfigProperty(tenant_isolation_mode="PER_TENANT"),
        "tracing_config": _Function.TracingConfigProperty(mode="PassThrough"),
    }


def _explain(made: lambda_.CfnFunction, function: Function) -> None:
    if function.tenant_isolated:
        meant(made, "what runs a model's commands has no right to write traces", "Serverless-LambdaTracing")
    else:
        meant(
            made,
            "wheels and bytecode are built for this Python, and everything is tested with it; Lambda supports it until 2029",
            "AwsSolutions-L1",
            "Serverless-LambdaLatestVersion",
        )
    if function.dead_letters is None:
        meant(
            made,
            "called by a state machine, a queue or the API, which wait for it and keep what failed; never asynchronously",
            "Serverless-LambdaDLQ",
        )


def _digest(stack: Stack, properties: Mapping[str, Any], layers: list[str]) -> str:
    """A version is published when it is named anew: after all that it is a version of."""
    text = json.dumps([stack.resolve(properties), layers], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
