"""The command ``discord-agent parity``: what CDK's templates and a Terraform state say, compared."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deployment.parity import state
from deployment.parity.exceptions import unmeant
from deployment.parity.inventory import Inventory, count, differences, inventory
from deployment.parity.place import Place
from deployment.parity.template import Template
from discord_agent.domain.errors import InvalidSettings


def run(cdk: Path, terraform: Path) -> int:
    """Print every difference that is not meant; 1 when there is one, InvalidSettings when there is nothing to compare."""
    shown = state.read(_json(terraform))
    one = of_templates(cdk, shown.place)
    other = inventory(entry for resource in shown.resources for entry in state.entries(resource, shown))
    found = differences(one, other)
    left = unmeant(found)
    for each in left:
        sys.stdout.write(f"{each}\n")
    sys.stdout.write(
        f"{count(one)} of the CDK's and {count(other)} of Terraform's: {len(left)} differences,"
        f" {len(found) - len(left)} meant\n"
    )
    return 1 if left else 0


def of_templates(folder: Path, place: Place) -> Inventory:
    """The inventory of every stack in a folder that the CDK wrote."""
    return inventory(entry for template in templates(folder, place) for entry in template.entries())


def templates(folder: Path, place: Place) -> Iterator[Template]:
    """Every stack's template with its assets; InvalidSettings when there is none."""
    paths = sorted(folder.glob("*.template.json"))
    if not paths:
        raise InvalidSettings(f"{folder} holds no templates: write them with `cdk synth`")
    files = {path.name.removeprefix("asset."): path.read_bytes() for path in folder.glob("asset.*") if path.is_file()}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    texts = {name: data.decode() for name, data in files.items() if name.endswith(".json")}
    for path in paths:
        yield Template(_json(path), place, digests, texts)


def _json(path: Path) -> dict[str, Any]:
    try:
        contents: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSettings(f"{path} cannot be read as JSON: {error}") from error
    return contents
