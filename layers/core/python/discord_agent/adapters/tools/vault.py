"""Secrets for tools: entries of one secret of the deployment, each released to the guilds it lists and to no other."""

from collections.abc import Callable
from typing import Annotated, Final

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from discord_agent.domain.errors import InvalidInput, InvalidSettings
from discord_agent.domain.ids import GuildId
from discord_agent.domain.policy import DIRECT_MESSAGES


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Annotated[SecretStr, Field(min_length=1)]
    guilds: tuple[str, ...]


_ENTRIES: Final = TypeAdapter(dict[str, _Entry])


class ToolSecrets(Struct, frozen=True):
    """``read`` fetches the secret: a JSON object that maps names to ``{"value": …, "guilds": […]}``, or nothing."""

    read: Callable[[], str]

    def value(self, name: str, guild: GuildId | None) -> str:
        """An entry's value; InvalidInput if this guild has no such entry, whichever of the two it is."""
        entry = _entries(self.read()).get(name)
        if entry is None or (guild or DIRECT_MESSAGES) not in entry.guilds:
            raise InvalidInput(f"this server has no secret {name!r:.60}; whoever runs the bot can add it")
        return entry.value.get_secret_value()


def check_entries(secret: str) -> None:
    """InvalidSettings unless the secret is what it has to be."""
    _entries(secret)


def _entries(secret: str) -> dict[str, _Entry]:
    try:
        return _ENTRIES.validate_json(secret or "{}")
    except ValidationError as error:
        faults = "; ".join(fault["msg"] for fault in error.errors(include_input=False)[:5])
        # The cause would quote what was read.
        raise InvalidSettings(
            f'the secret tool-secrets must map names to {{"value": …, "guilds": […]}}: {faults}'
        ) from None
