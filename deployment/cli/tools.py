"""The tools that make and remove everything, as the commands use them; which of them made what there is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from botocore.exceptions import ClientError

from deployment import cdk, terraform
from deployment.cli.account import Account, code, explained
from deployment.cli.checks import Check, Finding, fail, ok
from deployment.programs import Listen, unheard

_GONE: Final = "DELETE_COMPLETE"


class Tool(Protocol):
    """What brings the system into an account; both can be repeated after they were cut off."""

    @property
    def name(self) -> str:
        """As it is chosen with ``--with``."""
        ...

    def deploy(self) -> None:
        """Make everything as it is declared."""
        ...

    def destroy(self, *, keep_data: bool) -> None:
        """Remove everything, or everything but tables, queues and bucket."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tool works: an account, with a file of settings, in an environment; ``listen`` hears what it says."""

    account: Account
    settings: Path
    variables: Mapping[str, str] = field(repr=False)
    listen: Listen = unheard

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a tool, which looks nowhere else for the region."""
        region = self.account.region
        return {**self.variables, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}


class CdkTool:
    """The CDK; InvalidSettings when it is not installed."""

    name = "cdk"

    def __init__(self, place: Place) -> None:
        account = place.account
        self._listen = place.listen
        self._cdk = cdk.find(
            place.environment,
            settings=place.settings.resolve(),
            account=account.id,
            region=account.region,
            listen=place.listen,
        )

    def deploy(self) -> None:
        """Make everything as it is declared, in an account that is prepared for it first if nobody has."""
        self._cdk.synth()
        try:
            self._cdk.deploy_synthesised()
        except cdk.NotBootstrapped:
            self._listen("This account and region are prepared for the CDK first: a bucket, a registry and roles.")
            self._cdk.bootstrap()
            self._cdk.deploy_synthesised()

    def destroy(self, *, keep_data: bool) -> None:
        """Remove everything, or everything but tables, queues and bucket."""
        self._cdk.destroy(keep_data=keep_data)


class TerraformTool:
    """Terraform; InvalidSettings when it, or its provider, is not there."""

    name = "terraform"

    def __init__(self, place: Place) -> None:
        self._terraform = terraform.find(place.environment, listen=place.listen)
        self._variables: dict[str, object] = {
            "account": place.account.id,
            "region": place.account.region,
            "settings_file": str(place.settings.resolve()),
            "emulated": "AWS_ENDPOINT_URL" in place.variables,
        }

    def deploy(self) -> None:
        """Make everything as it is declared."""
        self._terraform.init()
        self._terraform.apply(self._variables)

    def destroy(self, *, keep_data: bool) -> None:
        """Remove everything, or everything but tables, queues and bucket."""
        self._terraform.init()
        # Without a resource in the state there is nothing to remove; data would be made first, to be released.
        if self._terraform.addresses():
            self._terraform.destroy(self._variables, keep_data=keep_data)


TOOLS: Final[Mapping[str, Callable[[Place], Tool]]] = {"cdk": CdkTool, "terraform": TerraformTool}


def made_by(account: Account, *, is_there: bool) -> str:
    """The tool that made what there is, "" for none: the CDK's data are a stack, which comes first and goes last."""
    client = account.client("cloudformation")
    with explained():
        try:
            stacks = client.describe_stacks(StackName=cdk.DATA)["Stacks"]
        except ClientError as error:
            # CloudFormation says so of stacks that are not there.
            if code(error) != "ValidationError":
                raise
            stacks = []
    if any(stack["StackStatus"] != _GONE for stack in stacks):
        return CdkTool.name
    return TerraformTool.name if is_there else ""


def same_tool(account: Account, tool: str, is_there: Callable[[], bool]) -> Check:
    """That one tool does not come upon what the other one made."""

    def look() -> Iterator[Finding]:
        made = made_by(account, is_there=is_there())
        if made in {tool, ""}:
            yield ok("tool", tool)
        else:
            yield fail("tool", f"what is in {account} was made by {made}", f"use `--with {made}`")

    return Check("tool", look)
