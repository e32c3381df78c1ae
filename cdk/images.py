"""Container images: those that were named, or built from their folders by Docker and put into the bootstrap's repository."""

import re
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_ecr_assets as assets
from constructs import Construct

from cdk.place import logical
from deployment.packages.build import Packages
from discord_agent.declaration import PREFIX
from discord_agent.domain.errors import InvalidSettings

# 123456789012.dkr.ecr.REGION.amazonaws.com/NAME:TAG or …/NAME@sha256:DIGEST
_GIVEN: Final = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+/([^:@]+)(?::[^:@]+|@sha256:[0-9a-f]{64})")
_PLATFORMS: Final = {"arm64": assets.Platform.LINUX_ARM64, "x86_64": assets.Platform.LINUX_AMD64}


@dataclass(frozen=True, slots=True)
class Image:
    """What is run, and the ARN of the repository that it is fetched from."""

    uri: str
    repository: str


def image(scope: Construct, packages: Packages, key: str, given: str, architecture: str) -> Image:
    """The image with this key; InvalidSettings when the given one does not lie in a registry of ECR."""
    if not given:
        built = assets.DockerImageAsset(
            scope,
            f"{logical(key)}Image",
            directory=str(packages.image(key)),
            platform=_PLATFORMS[architecture],
            asset_name=f"{PREFIX}-{key}",
        )
        return Image(built.image_uri, built.repository.repository_arn)
    found = _GIVEN.fullmatch(given)
    if found is None:
        raise InvalidSettings(
            f"{given!r} is no image in ECR: write ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG,"
            " or leave the setting empty to have it built with Docker"
        )
    account, region, name = found.groups()
    return Image(given, f"arn:{Aws.PARTITION}:ecr:{region}:{account}:repository/{name}")
