"""An account that somebody deploys to, a Discord that knows their bot, and a gateway to models: all of them real servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from deployment.cli.account import Account, account_of
from deployment.cli.vault import ParameterStoreVault
from devstack.discord.seed import Bot
from devstack.discord.server import DiscordServer
from devstack.model.script import parse_script
from devstack.model.server import ModelServer
from discord_agent.system import SYSTEM
from tests.support.data_plane import data_plane
from tests.support.discord import running

GATEWAY_KEY = "a-key-of-the-gateway"
REGION = "eu-west-1"


@dataclass
class Surroundings:
    """What a command meets; ``variables`` hold good answers for ``init``."""

    account: Account
    discord: DiscordServer
    gateway: ModelServer
    folder: Path

    @property
    def vault(self) -> ParameterStoreVault:
        return ParameterStoreVault(self.account.client("ssm"), SYSTEM)

    @property
    def settings(self) -> Path:
        return self.folder / "settings.json"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "LITELLM_BASE_URL": self.gateway.url,
            "LITELLM_API_KEY": GATEWAY_KEY,
        }


@contextmanager
def an_account(endpoint: str, number: str, *, region: str = REGION) -> Iterator[Account]:
    """An account of the emulator, which tells accounts apart by their key's id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        session = boto3.session.Session(aws_access_key_id=number, aws_secret_access_key="testing", region_name=region)
        yield account_of(session)


@contextmanager
def emulator() -> Iterator[str]:
    """The endpoint of an emulator with nothing in it."""
    with data_plane() as endpoint:
        yield endpoint


@contextmanager
def surroundings(
    endpoint: str, number: str, folder: Path, *, bot: Bot | None = None, **discord: Any
) -> Iterator[Surroundings]:
    """Everything a first run needs, in an account of its own; ``discord`` are options of its server."""
    script = parse_script({"introduction": "ready"}, "script of the test")
    gateway = ModelServer(script, key=GATEWAY_KEY)
    gateway.start()
    try:
        with running(bot=bot, **discord) as server, an_account(endpoint, number) as account:
            yield Surroundings(account, server, gateway, folder)
    finally:
        gateway.stop()
