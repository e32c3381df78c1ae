"""Templates as tests ask about them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates in a folder."""

    folder: Path

    def stacks(self) -> list[str]:
        """The names of the stacks."""
        return sorted(path.name.removesuffix(".template.json") for path in self.folder.glob("*.template.json"))

    def resources(self, kind: str) -> list[Json]:
        """Everything of a kind, with ``Properties``."""
        return [each for each in self.all() if each["Type"] == kind]

    def properties(self, kind: str, name: str) -> dict[str, Json]:
        """The properties of everything of a kind by the property that names it."""
        return {each["Properties"][name]: each["Properties"] for each in self.resources(kind)}

    def all(self) -> Iterator[Json]:
        """Every resource of every stack."""
        for path in sorted(self.folder.glob("*.template.json")):
            yield from json.loads(path.read_text(encoding="utf-8"))["Resources"].values()


def text(value: object, meaning: Mapping[str, str]) -> str:
    """A value with its joins and references in place."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text(part, meaning) for part in parts)
        case {"Ref": name}:
            return meaning[name]
        case _:
            return str(value)
