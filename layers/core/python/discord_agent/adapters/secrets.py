"""Secrets from Parameter Store, kept for a while in memory and nowhere else."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from discord_agent.adapters.aws import outages
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.hiding import shown
from discord_agent.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

MAX_AGE: Final = timedelta(minutes=5)


_NO_SECRETS: Final = frozenset({"base_url", "guilds", "host", "url", "user", "username"})
"""Fields of a secret that is a JSON object which say where and by whom it is used."""


class ParameterStoreSecrets(Struct, frozen=True):
    """Secrets by name; a rotated one is seen after ``max_age``.

    ``known`` holds every value ever fetched, and the values inside those that are JSON objects: what a Redactor is
    to keep in.
    """

    client: "SSMClient"
    clock: Clock
    max_age: timedelta = MAX_AGE
    known: set[str] = field(default_factory=set)
    _kept: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return shown(self, without=("known", "_kept"))

    def get(self, name: str) -> str:
        """A secret's value without surrounding white space, "" when it was left empty; InvalidSettings if missing."""
        fetched_at, value = self._kept.get(name, (float("-inf"), ""))
        if self.clock.monotonic() - fetched_at < self.max_age.total_seconds():
            return value
        try:
            with outages("Parameter Store"):
                value = self.client.get_parameter(Name=name, WithDecryption=True)["Parameter"].get("Value", "").strip()
        except self.client.exceptions.ParameterNotFound as error:
            raise InvalidSettings(f"there is no secret {name} in Parameter Store: run discord-agent init") from error
        self.known.update(_values(value))
        self._kept[name] = (self.clock.monotonic(), value)
        return value


def _values(secret: str) -> Iterator[str]:
    yield secret
    try:
        yield from _leaves(json.loads(secret))
    except ValueError:
        return


def _leaves(data: Any) -> Iterator[str]:
    match data:
        case str():
            yield data
        case list():
            for item in data:
                yield from _leaves(item)
        case dict():
            for name, item in data.items():
                if name not in _NO_SECRETS:
                    yield from _leaves(item)
