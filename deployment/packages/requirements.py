"""Requirement files, read as far as packages need them: what is pinned, and under which hashes."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from discord_agent.domain.errors import InvalidSettings

_PINNED: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
_NAME: Final = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class Pin:
    """One distribution in one version; ``lines`` are those of the file, hashes included."""

    name: str
    version: str
    lines: str


def read_pins(path: Path) -> Mapping[str, Pin]:
    """The pins of a file by normalised name."""
    text = path.read_text(encoding="utf-8")
    starts = list(_PINNED.finditer(text))
    ends = [found.start() for found in starts[1:]] + [len(text)]
    pins = [
        Pin(_NAME.sub("-", found.group(1)).lower(), found.group(2), text[found.start() : end].rstrip() + "\n")
        for found, end in zip(starts, ends, strict=True)
    ]
    return {pin.name: pin for pin in pins}


def without(pins: Mapping[str, Pin], names: Collection[str]) -> Mapping[str, Pin]:
    """The pins but for those with these names."""
    return {name: pin for name, pin in pins.items() if name not in names}


def beyond(pins: Mapping[str, Pin], others: Mapping[str, Pin]) -> Mapping[str, Pin]:
    """What is pinned here and not there; InvalidSettings where both pin the same in different versions."""
    differing = sorted(name for name in pins.keys() & others.keys() if pins[name].version != others[name].version)
    if differing:
        raise InvalidSettings(
            f"layers that are used together pin different versions of {', '.join(differing)}: run `make requirements`"
        )
    return without(pins, others.keys())
