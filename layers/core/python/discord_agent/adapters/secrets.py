"""Secrets from Secrets Manager, kept for a while in memory and nowhere else."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from discord_agent.adapters.aws import outages
from discord_agent.domain.errors import InvalidSettings
from discord_agent.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SecretsManagerSecrets:
    """Secrets by name; a rotated one is seen after ``max_age``."""

    client: "SecretsManagerClient"
    clock: Clock
    max_age: timedelta = MAX_AGE
    _kept: dict[str, tuple[float, str]] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str:
        """A secret's value without surrounding white space, "" when it was left empty; InvalidSettings if it is missing."""
        fetched_at, value = self._kept.get(name, (float("-inf"), ""))
        if self.clock.monotonic() - fetched_at < self.max_age.total_seconds():
            return value
        try:
            with outages("Secrets Manager"):
                value = self.client.get_secret_value(SecretId=name).get("SecretString", "").strip()
        except self.client.exceptions.ResourceNotFoundException as error:
            raise InvalidSettings(f"there is no secret {name}: create it in Secrets Manager") from error
        self._kept[name] = (self.clock.monotonic(), value)
        return value
