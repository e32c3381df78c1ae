"""What there is, by kind and name, and how two inventories differ."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from deployment.parity.errors import NotComparable
from deployment.parity.kinds.all import KINDS
from deployment.parity.place import Place
from deployment.parity.values import Value, change, named_here, plain, unordered

type Properties = dict[str, Any]
type Inventory = dict[str, dict[str, Properties]]

ABSENT: Final = "(absent)"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one resource says of a thing, in CloudFormation's words; several may say different parts of one thing."""

    kind: str
    name: str
    properties: Properties


@dataclass(frozen=True, slots=True)
class Difference:
    """A value, or a whole thing (``path`` is ""), that is not the same on both sides."""

    kind: str
    name: str
    path: str
    cdk: Value
    terraform: Value

    def __str__(self) -> str:
        """For people."""
        return f"{self.kind} {self.name}: {self.path or 'the whole'}\n    cdk:       {self.cdk}\n    terraform: {self.terraform}"


def entry(kind: str, said: Properties, place: Place) -> Entry:
    """An entry without what says nothing, named by its kind."""
    properties = plain(said)
    for path, arn in KINDS[kind].by_arn.items():
        change(properties, path, named_here(place, *arn))
    return Entry(kind, KINDS[kind].named(properties), properties)


def inventory(entries: Iterable[Entry]) -> Inventory:
    """Everything that was said, with AWS's defaults; NotComparable when it contradicts itself."""
    gathered: Inventory = {}
    for each in entries:
        named = gathered.setdefault(each.kind, {})
        named[each.name] = _together(named[each.name], each) if each.name in named else deepcopy(each.properties)
    return {kind: {name: finished(kind, each) for name, each in named.items()} for kind, named in gathered.items()}


def finished(kind: str, properties: Properties) -> Properties:
    """Properties with the defaults filled in, and without an order that means nothing."""
    for path, value in KINDS[kind].defaults.items():
        _fill(properties, path, value)
    for path in KINDS[kind].unordered:
        change(properties, path, unordered)
    return properties


def differences(cdk: Inventory, terraform: Inventory) -> list[Difference]:
    """Everything that is not the same."""
    found: list[Difference] = []
    for kind in sorted(cdk.keys() | terraform.keys()):
        one, other = cdk.get(kind, {}), terraform.get(kind, {})
        for name in sorted(one.keys() | other.keys()):
            found += compared(kind, name, one.get(name, ABSENT), other.get(name, ABSENT))
    return found


def compared(kind: str, name: str, cdk: Value, terraform: Value) -> list[Difference]:
    """What is not the same of one thing."""
    return [Difference(kind, name, *each) for each in _unlike("", cdk, terraform)]


def _unlike(path: str, cdk: Value, terraform: Value) -> Iterator[tuple[str, Value, Value]]:
    if isinstance(cdk, dict) and isinstance(terraform, dict):
        for key in sorted(cdk.keys() | terraform.keys()):
            below = f"{path}.{key}" if path else key
            yield from _unlike(below, cdk.get(key, ABSENT), terraform.get(key, ABSENT))
    elif isinstance(cdk, list) and isinstance(terraform, list) and len(cdk) == len(terraform):
        for place, (one, other) in enumerate(zip(cdk, terraform, strict=True)):
            yield from _unlike(f"{path}[{place}]", one, other)
    elif cdk != terraform or type(cdk) is not type(terraform):
        yield path, cdk, terraform


def _together(properties: Properties, more: Entry) -> Properties:
    for key, value in more.properties.items():
        if key not in properties:
            properties[key] = deepcopy(value)
        elif isinstance(properties[key], dict) and isinstance(value, dict):
            properties[key] = _together(properties[key], Entry(more.kind, more.name, value))
        elif properties[key] != value:
            raise NotComparable(f"{more.kind} {more.name}: {key} is both {properties[key]!r} and {value!r}")
    return properties


def _fill(properties: Properties, path: str, value: Value) -> None:
    *parents, last = path.split(".")
    place: Value = properties
    for name in parents:
        place = place.setdefault(name, {})
    place.setdefault(last, value)


def count(found: Mapping[str, Mapping[str, Properties]]) -> int:
    """How many things there are."""
    return sum(len(named) for named in found.values())
