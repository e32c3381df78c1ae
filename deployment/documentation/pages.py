"""The generated parts of the documentation: which there are, and how they are put between their marks."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deployment.documentation import costs, lifetimes, machines, overview, watching
from deployment.documentation.commands import commands
from deployment.documentation.permissions import permissions
from deployment.documentation.reach import reach
from deployment.measured import Measured, read
from discord_agent.declaration import System
from discord_agent.domain.errors import InvalidInput
from discord_agent.system import SYSTEM

REMEDY: Final = "run discord-agent docs --write"
_HOW: Final = f"Change what it is made of, then {REMEDY}."

type Sections = Mapping[str, str]
"""Texts by the names of their marks."""


def pages(
    system: System, definitions: Mapping[str, Mapping[str, Any]], measured: Mapping[str, Measured]
) -> Mapping[str, Sections]:
    """Everything that is generated, by page; ``definitions`` are the state machines' by their keys."""
    return {
        "docs/architecture.md": {
            "travel": overview.travel(system),
            "machines": "\n\n".join(_machine(name, definitions[name]) for name in system.machines),
            "keeping": overview.keeping(system),
            "reach": reach(system),
            "lifetimes": lifetimes.picture(system),
        },
        "docs/PERMISSIONS.md": {"permissions": permissions(system)},
        "docs/COSTS.md": {
            "summary": costs.summary(system, measured),
            "choices": costs.choices(system, measured),
            "idle": costs.idle(system),
            "at work": costs.at_work(),
            "question": costs.question(system, measured),
            "run": costs.run(system, measured),
            "assumptions": costs.assumptions(),
            "allowances": costs.allowances(),
        },
        "docs/COMMANDS.md": {"commands": commands()},
        "docs/OPERATIONS.md": {"alarms": watching.alarms(system), "measures": watching.measures()},
    }


def definitions(system: System, root: Path) -> dict[str, Mapping[str, Any]]:
    """The state machines as they lie in the repository."""
    folder = root / "statemachines"
    return {key: json.loads((folder / f"{key}.asl.json").read_text(encoding="utf-8")) for key in system.machines}


def renewed(text: str, sections: Sections) -> str:
    """A page with each section as it is now; what stands outside of the marks stays."""
    for name, section in sections.items():
        begin, end = f"<!-- generated: {name}. {_HOW} -->", f"<!-- end: {name} -->"
        before, _, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not ended or begin in after:
            raise InvalidInput(f"a page needs the lines {begin} and {end} once, where {name} shall stand")
        text = f"{before}{begin}\n\n{section}\n\n{end}{after}"
    return text


def stale(system: System, root: Path) -> dict[Path, str]:
    """The pages that are not as they would be generated now, and what they should be."""
    generated = pages(system, definitions(system, root), read())
    paths = {root / page: sections for page, sections in generated.items()}
    old = {path: path.read_text(encoding="utf-8") for path in paths}
    new = {path: renewed(old[path], sections) for path, sections in paths.items()}
    return {path: text for path, text in new.items() if text != old[path]}


def run(root: Path, *, write: bool) -> int:
    """The command: brings the pages up to date, or fails if one is not."""
    found = stale(SYSTEM, root)
    for path, text in found.items():
        if write:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'written' if write else 'out of date'}: {path.relative_to(root)}\n")
    if found and not write:
        sys.stdout.write(f"{REMEDY}\n")
    return 0 if write or not found else 1


def _machine(name: str, definition: Mapping[str, Any]) -> str:
    return "\n\n".join((f"### `{name}`", definition["Comment"], machines.picture(definition)))
