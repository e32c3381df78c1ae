"""What whoever deploys chose: ``settings.json`` at the root of the repository, a flat object of texts.

Its keys are the declaration's settings, and its parameters in lower case. Secrets are not among them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from discord_agent.choices import REQUIRED
from discord_agent.declaration import System
from discord_agent.domain.errors import InvalidSettings

FILE: Final = Path(__file__).resolve().parent.parent / "settings.json"
_NUMBERS: Final = frozenset({"spend_alarm"})
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every key of the declaration's settings and parameters, with the value that was chosen or its default."""

    values: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    def on(self, key: str) -> bool:
        """Whether a setting that is true or false is true."""
        return self.values[key] == "true"

    def parameter(self, name: str) -> str:
        """A deployment parameter's value."""
        return self.values[name.lower()]

    def missing(self) -> list[str]:
        """The keys without which nothing can start, and that nobody gave."""
        return [name.lower() for name in REQUIRED if not self.values[name.lower()]]


def read(system: System, path: Path = FILE) -> Settings:
    """The settings of a file, or the defaults where it is not there; InvalidSettings says what is wrong in it."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        written = {}
    except ValueError as error:
        raise InvalidSettings(
            f"{path.name} is no JSON ({error}): correct it, or let `discord-agent init` write it"
        ) from error
    if not isinstance(written, dict):
        raise InvalidSettings(f"{path.name} is no JSON object: let `discord-agent init` write it")
    return chosen(system, written, path.name)


def chosen(system: System, given: Mapping[str, object], source: str = "settings.json") -> Settings:
    """The settings with ``given`` in place of defaults; InvalidSettings names every key that is unknown or has no good value."""
    defaults = {key: setting.default for key, setting in system.settings.items()}
    defaults |= {name.lower(): value for name, value in system.parameters.items()}
    faults = [f"{key} is no setting" for key in given if key not in defaults]
    values = {key: _text(value) for key, value in given.items()}
    faults += [fault for key, value in values.items() if key in defaults and (fault := _fault(system, key, value))]
    if faults:
        known = ", ".join(sorted(defaults))
        raise InvalidSettings(f"{source}: {'; '.join(faults)}. There are: {known}")
    return Settings(defaults | {key: value for key, value in values.items() if value is not None})


def _text(value: object) -> str | None:
    """As Terraform makes texts of JSON values; None for what is no single value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            return None


def _fault(system: System, key: str, value: str | None) -> str:
    choices = system.settings[key].choices if key in system.settings else ()
    if value is None:
        return f"{key} is no text"
    if choices and value not in choices:
        return f"{key} is {value!r}, and may be {' or '.join(choices)}"
    if key in _NUMBERS and not re.fullmatch(r"\d+(\.\d+)?", value):
        return f"{key} is {value!r}, which is no number"
    if key == "artifact_bucket" and value and not _BUCKET.fullmatch(value):
        return f"{key} is {value!r}, which S3 does not take: 3 to 63 of a-z, 0-9, dots and hyphens"
    return ""
