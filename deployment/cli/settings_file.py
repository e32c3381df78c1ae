"""Writes ``settings.json``: what is asked to change, and everything else as it was."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from discord_agent.declaration import System
from discord_agent.domain.errors import InvalidSettings


def written(path: Path) -> dict[str, object]:
    """What the file says now; it was read as settings before, so that it is known to be an object."""
    if not path.exists():
        return {}
    document: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return document


def write(path: Path, system: System, changes: Mapping[str, str]) -> bool:
    """Change settings, at once or not at all; False if nothing was to be changed. A default is not written down anew."""
    before = written(path)
    defaults = {name.lower(): value for name, value in system.parameters.items()}
    after = before | {key: value for key, value in changes.items() if key in before or value != defaults.get(key)}
    if after == before and path.exists():
        return False
    try:
        _replace(path, json.dumps(dict(sorted(after.items())), indent=2) + "\n")
    except OSError as error:
        raise InvalidSettings(
            f"{path} cannot be written ({error.strerror}): mend that, then run the command again"
        ) from error
    return True


def _replace(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".settings-", delete=False, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
