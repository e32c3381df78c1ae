"""Deployed functions, read back from Lambda: code, layers and settings as they were published behind their alias."""

import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from devstack.aws.clients import Clients
from devstack.aws.deployed.archives import Archives
from devstack.aws.deployed.images import Image
from devstack.aws.deployed.libraries import RUNTIME, shown
from devstack.aws.errors import StackError
from devstack.aws.functions.model import FunctionSpec
from devstack.aws.functions.path import plain_python

_RUNTIME_NAME: Final = "python3.13"
_RUNTIME_COMMAND: Final = ("python", "-m", "awslambdaric")
_ARCHITECTURES: Final = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
HERE: Final = _ARCHITECTURES.get(platform.machine(), platform.machine())
"""This machine's processor, as Lambda names it."""

type Json = dict[str, Any]


class FunctionReader:
    """Reads functions that have an alias, which is what they are called through; ``image`` finds the image of a URI."""

    def __init__(
        self, clients: Clients, folder: Path, *, key_of: Callable[[str], str], image: Callable[[str], Image]
    ) -> None:
        self._lambda = clients.get("lambda")
        self._sqs = clients.sqs()
        self._key_of = key_of
        self._image = image
        self._archives = Archives(folder / "code")
        self._runtime = shown(RUNTIME, folder / "runtime")
        self._path = plain_python(folder / "python")

    def read(self) -> tuple[FunctionSpec, ...]:
        """All of them; StackError for what cannot run here as it would on AWS."""
        pages = self._lambda.get_paginator("list_functions").paginate()
        names = [function["FunctionName"] for page in pages for function in page["Functions"]]
        return tuple(spec for name in names for spec in self._aliased(name))

    def policy(self, arn: str) -> str:
        """The policy of the function behind an alias's ARN; one that allows nothing where there is none."""
        name, _, alias = arn.partition(":function:")[2].partition(":")
        qualified = {"Qualifier": alias} if alias else {}
        try:
            return str(self._lambda.get_policy(FunctionName=name, **qualified)["Policy"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return '{"Statement": []}'

    def _aliased(self, name: str) -> Iterator[FunctionSpec]:
        aliases = self._lambda.list_aliases(FunctionName=name)["Aliases"]
        if len(aliases) > 1:
            raise StackError(f"{name} has {len(aliases)} aliases: the local stack runs functions that have one")
        for alias in aliases:
            if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
                raise StackError(f"{alias['AliasArn']} is shared by versions, which does not work here")
            found = self._lambda.get_function(FunctionName=name, Qualifier=alias["Name"])
            reserved = self._lambda.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
            yield self._spec(found["Configuration"], found["Code"], alias, reserved)

    def _spec(self, settings: Json, code: Json, alias: Json, reserved: int | None) -> FunctionSpec:
        name = settings["FunctionName"]
        if settings["Architectures"] != [HERE]:
            raise StackError(f"{name} was deployed for {settings['Architectures']}, and this machine is {HERE}")
        is_image = settings["PackageType"] == "Image"
        placed = self._from_image(name, code) if is_image else self._from_archives(settings, code)
        return FunctionSpec(
            key=self._key_of(name),
            name=name,
            arn=alias["AliasArn"],
            role=settings["Role"],
            package=None,
            **placed,
            timeout=settings["Timeout"],
            memory=settings["MemorySize"],
            tenant_isolated="TenancyConfig" in settings,
            reserved=reserved,
            alias=alias["Name"],
            version=settings["Version"],
            dead_letters=self._queue_url(settings.get("DeadLetterConfig", {}).get("TargetArn")),
        )

    def _from_archives(self, settings: Json, code: Json) -> Json:
        if settings["Runtime"] != _RUNTIME_NAME:
            raise StackError(f"{settings['FunctionName']} wants {settings['Runtime']}, only {_RUNTIME_NAME} is here")
        layers = [self._layer(layer["Arn"]) for layer in settings.get("Layers", ())]
        opt = (self._archives.unpacked(*layers) / "python",) if layers else ()
        return {
            "handler": settings["Handler"],
            "folder": self._archives.unpacked((code["Location"], settings["CodeSha256"])),
            "layers": (*opt, self._runtime),
            "environment": _environment(settings),
            "path": self._path,
        }

    def _queue_url(self, arn: str | None) -> str | None:
        return None if arn is None else str(self._sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])

    def _layer(self, arn: str) -> tuple[str, str]:
        content = self._lambda.get_layer_version_by_arn(Arn=arn)["Content"]
        return content["Location"], content["CodeSha256"]

    def _from_image(self, name: str, code: Json) -> Json:
        image = self._image(code["ImageUri"])
        if image.command[:-1] != _RUNTIME_COMMAND:
            raise StackError(f"the image of {name} does not start {' '.join(_RUNTIME_COMMAND)} with a handler")
        return {
            "handler": image.command[-1],
            "folder": image.folder,
            "layers": image.imports,
            "environment": image.environment,
            "path": image.programs,
        }


def _environment(settings: Json) -> Mapping[str, str]:
    """Its variables, and what the runtime tells its logging."""
    logging = settings.get("LoggingConfig", {})
    told = {
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", ""),
        "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel", ""),
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup", ""),
    }
    return {**settings.get("Environment", {}).get("Variables", {}), **{k: v for k, v in told.items() if v}}
