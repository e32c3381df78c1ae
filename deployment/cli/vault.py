"""The secrets of a deployment in Parameter Store: read and written all together, or not at all."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from deployment.cli.account import explained
from discord_agent.adapters.git.remote import logins
from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.tools.vault import check_entries
from discord_agent.declaration import System
from discord_agent.domain.errors import InvalidSettings

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NOTHING: Final = "{}"
"""What a secret holds that is a JSON object without an entry."""

_LARGEST: Final = 4096


class Vault(Protocol):
    """Secrets by the declaration's keys."""

    def read(self) -> dict[str, str]:
        """Those that are there."""
        ...

    def write(self, values: Mapping[str, str]) -> None:
        """Keep all of them; when one cannot be kept, those before are as they were."""
        ...

    def delete(self) -> None:
        """Delete all."""
        ...


class ParameterStoreVault:
    """``names`` are the parameters' names by key."""

    def __init__(self, client: "SSMClient", system: System) -> None:
        self._client = client
        self._names = system.secrets

    def read(self) -> dict[str, str]:
        """Those that are there."""
        with explained():
            answer = self._client.get_parameters(Names=list(self._names.values()), WithDecryption=True)
        values = {found.get("Name", ""): found.get("Value", "").strip() for found in answer["Parameters"]}
        return {key: values[name] for key, name in self._names.items() if name in values}

    def write(self, values: Mapping[str, str]) -> None:
        """Keep all of them; when one cannot be kept, those before are as they were."""
        for key, value in values.items():
            if len(value.encode()) > _LARGEST:
                raise InvalidSettings(
                    f"the secret {key} is longer than {_LARGEST} bytes, which Parameter Store takes at most"
                )
        before = self.read()
        undo: list[Callable[[], object]] = []
        with explained():
            try:
                for key, value in values.items():
                    if before.get(key) == value:
                        continue
                    self._put(key, value)
                    undo.append(self._back(key, before.get(key)))
            except (ClientError, BotoCoreError):
                for step in reversed(undo):
                    step()
                raise

    def delete(self) -> None:
        """Delete all."""
        with explained():
            self._client.delete_parameters(Names=list(self._names.values()))

    def _back(self, key: str, value: str | None) -> Callable[[], object]:
        if value is None:
            return lambda: self._client.delete_parameter(Name=self._names[key])
        return lambda: self._put(key, value)

    def _put(self, key: str, value: str) -> None:
        self._client.put_parameter(
            Name=self._names[key], Value=value, Type="SecureString", Tier="Standard", Overwrite=True
        )


def faults(secrets: Mapping[str, str], system: System, base_url: str) -> dict[str, str]:
    """What is wrong with secrets, by key, as far as that can be seen without asking anybody."""
    found = {key: "it is not there" for key in system.secrets if not secrets.get(key)}
    for key, check in _CHECKS.items():
        if key not in found:
            try:
                check(secrets[key], base_url)
            except InvalidSettings as error:
                found[key] = str(error)
    return found


def _is_object(secret: str) -> None:
    try:
        document = json.loads(secret)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise InvalidSettings("it is no JSON object")


def _git(secret: str, _: str) -> None:
    _is_object(secret)
    logins(secret)


def _tools(secret: str, _: str) -> None:
    _is_object(secret)
    check_entries(secret)


_CHECKS: Final[Mapping[str, Callable[[str, str], object]]] = {
    "model-key": ModelAccess.from_secret,
    "git-credentials": _git,
    "tool-secrets": _tools,
}
