"""The command ``package``: builds everything and says how large it is."""

import json
from pathlib import Path
from typing import Any, Final

from deployment.packages.build import Packages, build
from discord_agent.declaration import System

_MEGABYTE: Final = 1_000_000


def run(system: System, root: Path, architecture: str, *, as_json: bool) -> int:
    """Build and print."""
    facts = sizes(build(system, root, architecture))
    if as_json:
        print(json.dumps({"architecture": architecture, "archives": facts}, indent=2))
        return 0
    for name, size in facts.items():
        print(f"{name:30} {size['zipped'] / _MEGABYTE:7.2f} MB, unpacked {size['unpacked'] / _MEGABYTE:7.2f} MB")
    return 0


def sizes(packages: Packages) -> dict[str, Any]:
    """Bytes of every archive, as it is uploaded and as it lies in Lambda."""
    return {
        name: {"zipped": (packages.folder / f"{name}.zip").stat().st_size, "unpacked": unpacked}
        for name, unpacked in sorted(packages.unpacked.items())
    }
