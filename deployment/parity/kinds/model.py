"""How a kind of resource is written by either tool, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deployment.parity.values import Read, Value

type Shape = Mapping[str, str | "Block" | "As"]
"""Terraform attribute to CloudFormation property, whose path may be dotted."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of Terraform's: one object of CloudFormation's, or with ``many`` a list of them. "" puts it beside the others."""

    property: str
    shape: Shape
    many: bool = False


@dataclass(frozen=True, slots=True)
class As:
    """An attribute whose value has to be read first."""

    property: str
    read: Read


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing in AWS, described by CloudFormation's names.

    ``named`` tells it from others of its kind by its properties. ``defaults`` are AWS's own, filled in on both sides. ``reads``
    says how CloudFormation's values are read, by property; ``unordered`` properties are lists whose order means nothing.
    ``templates_only`` are properties that Terraform's provider cannot express. ``by_arn`` are properties that name something
    by its name or by its ARN here, with the service and the beginning of the resource in that ARN.
    """

    name: str
    resource: str
    named: Callable[[Mapping[str, Value]], str]
    defaults: Mapping[str, Value] = field(default_factory=dict)
    reads: Mapping[str, Read] = field(default_factory=dict)
    unordered: tuple[str, ...] = ()
    templates_only: frozenset[str] = frozenset()
    by_arn: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """What a resource of Terraform's says of a kind; ``finish`` puts together what CloudFormation has in one place."""

    kind: str
    shape: Shape
    finish: Read | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """A type of Terraform's: its parts, and attributes that only AWS or this machine knows (``computed``)."""

    type: str
    parts: tuple[Part, ...]
    computed: frozenset[str] = frozenset()


def by(*properties: str) -> Callable[[Mapping[str, Value]], str]:
    """Named by the values of properties, dotted paths."""

    def name(values: Mapping[str, Value]) -> str:
        return " ".join(str(_at(values, path)) for path in properties)

    return name


def _at(values: Mapping[str, Value], path: str) -> Value:
    place: Value = values
    for step in path.split("."):
        place = place.get(step) if isinstance(place, Mapping) else None
    return place


def computed(*names: str) -> frozenset[str]:
    """Attributes that say nothing about what was asked for."""
    return frozenset({"id", "arn", "tags_all", "timeouts", *names})
