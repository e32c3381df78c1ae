"""The system deployed on the local emulator by the tools that deploy it to AWS."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deployment import cdk, terraform
from deployment.cdk import CdkMissing
from deployment.packages.build import build
from deployment.terraform import TerraformMissing
from devstack.aws.deployed.functions import HERE
from devstack.aws.deployed.origin import Deployed
from devstack.aws.functions.model import LogSink
from devstack.aws.names import ACCOUNT, REGION, Endpoints
from devstack.aws.provision import put_secrets
from devstack.aws.workload import Site
from devstack.options import ROOT
from discord_agent.domain.errors import AgentError
from discord_agent.settings import environment
from discord_agent.system import SYSTEM

_IMAGES: Final = {"sandbox_image": "sandbox", "bridge_image": "gateway_bridge"}
"""Which image each setting names."""


class NotRun(AgentError):
    """The tool needs what is not on this machine; the message says what."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that deploys: how it is found, and how it deploys to a site, with which settings and from which packages."""

    find: Callable[[Mapping[str, str]], object]
    deploy: Callable[[Site, Path, Path], None]


def origin(name: str, parameters: Mapping[str, str], secrets: Mapping[str, str], log: LogSink) -> Deployed:
    """The system as a tool deploys it, for this machine's processor and with images that are run from their build contexts.

    ``parameters`` and ``secrets`` are those of the declaration. NotRun, at once or when it deploys, where the tool cannot work.
    """
    tool = TOOLS[name]
    with _what_is_missing():
        tool.find(environment())
    packages = build(SYSTEM, ROOT, HERE)
    uris = {setting: f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{image}:local" for setting, image in _IMAGES.items()}
    settings = {"architecture": HERE, **uris, **{name.lower(): value for name, value in parameters.items()}}

    def deploy(site: Site) -> None:
        file = site.folder / "settings.json"
        file.write_text(json.dumps(settings), encoding="utf-8")
        put_secrets(SYSTEM, site.clients, secrets)
        with _what_is_missing():
            tool.deploy(site, file, packages.folder.parent)

    return Deployed(SYSTEM, deploy, {uri: packages.image(_IMAGES[setting]) for setting, uri in uris.items()}, log)


@contextmanager
def _what_is_missing() -> Iterator[None]:
    try:
        yield
    except (CdkMissing, TerraformMissing) as error:
        raise NotRun(str(error)) from error


def _with_cdk(site: Site, settings: Path, _packages: Path) -> None:
    tool = cdk.find(
        _pointing(cdk.against, site), settings=settings, output=site.folder / "cdk", account=ACCOUNT, region=REGION
    )
    tool.synth()
    tool.bootstrap()
    tool.deploy_synthesised()


def _with_terraform(site: Site, settings: Path, packages: Path) -> None:
    tool = terraform.find(_pointing(terraform.against, site), work=site.folder / "terraform")
    tool.init()
    tool.apply({"settings_file": str(settings), "packages": str(packages), "region": REGION, "emulated": True})


def _pointing(against: Callable[[str, Mapping[str, str]], Mapping[str, str]], site: Site) -> dict[str, str]:
    """The environment of a tool; it speaks to what keeps deployments, as what runs them does not answer yet."""
    data = site.endpoints.data
    return {**environment(), **against(data, Endpoints(data, data, data).environment())}


TOOLS: Final = {"cdk": Tool(cdk.find, _with_cdk), "terraform": Tool(terraform.find, _with_terraform)}
