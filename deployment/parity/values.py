"""Values as both tools mean them, whichever way they write them."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from deployment.parity.errors import NotComparable
from deployment.parity.place import Place

type Value = Any
type Read = Callable[[Value], Value]

_EMPTY: Final[tuple[Value, ...]] = (None, "", [], {})
_NUMBER: Final = re.compile(r"^-?(0|[1-9]\d*)$")
_VERSIONED: Final = re.compile(r"^(arn:[^:]+:(?:lambda|ecs):[^:]*:\d{12}:(?:layer:|task-definition/)[\w-]+):\d+$")


def is_empty(value: Value) -> bool:
    """Whether it says nothing; false and zero do say something."""
    return any(value is each or (value == each and type(value) is type(each)) for each in _EMPTY)


def plain(value: Value) -> Value:
    """Without what says nothing, numbers as numbers, versions of layers and tasks left out."""
    match value:
        case dict():
            kept = {key: plain(each) for key, each in value.items()}
            return {key: each for key, each in kept.items() if not is_empty(each)}
        case list():
            return [each for each in map(plain, value) if not is_empty(each)]
        case str():
            return _plain_text(value)
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _plain_text(text: str) -> Value:
    if _NUMBER.match(text):
        return int(text)
    if found := _VERSIONED.match(text):
        return found[1]
    return text


def queue_url(name: str) -> str:
    """What stands for the URL of a queue."""
    return f"the URL of {name}"


def parsed(text: Value) -> Value:
    """What a JSON text says; NotComparable when it is none."""
    if not isinstance(text, str) or not text:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NotComparable(f"this should be JSON: {text[:200]}") from error


def policy(document: Value) -> Value:
    """A policy document as rows, one for each action on each resource; None when there is none."""
    document = parsed(document)
    if is_empty(document):
        return None
    rest = {key: value for key, value in document.items() if key != "Statement"}
    rows = {row for statement in _listed(document["Statement"]) for row in _rows(statement)}
    return {**rest, "Statements": sorted(rows)}


def _rows(statement: Mapping[str, Value]) -> Iterable[str]:
    several = ("Action", "Resource")
    rest = {key: _sorted(value) for key, value in statement.items() if key not in several}
    for action in _listed(statement.get("Action", "-")):
        for resource in _listed(statement.get("Resource", "-")):
            yield json.dumps({**rest, "Action": action, "Resource": resource}, sort_keys=True)


def _sorted(value: Value) -> Value:
    """Principals and values of conditions, whose order means nothing and of which one may stand without its list."""
    match value:
        case dict():
            return {key: _sorted(each) for key, each in value.items()}
        case list():
            return sorted(map(str, value)) if len(value) > 1 else str(value[0])
        case _:
            return value


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def unordered(value: Value) -> Value:
    """A list whose order means nothing."""
    return sorted(value, key=lambda each: json.dumps(each, sort_keys=True)) if isinstance(value, list) else value


def by_key(key: str, content: str = "Value") -> Read:
    """A list of names and values as a mapping, where it is not one already."""

    def read(value: Value) -> Value:
        if isinstance(value, list) and all(each.keys() == {key, content} for each in value):
            return {each[key]: each[content] for each in value}
        return value

    return read


def named_here(place: Place, service: str, beginning: str) -> Read:
    """What has this ARN here by its name, anything else as it is."""
    arn = place.arn(service, beginning)
    return lambda value: value.removeprefix(arn) if isinstance(value, str) else value


def without_star(arn: Value) -> Value:
    """The ARN of a log group, which some write with ``:*`` behind it."""
    return arn.removesuffix(":*") if isinstance(arn, str) else arn


def legible(read: Read, value: Value, where: str) -> Value:
    """What a value reads as; NotComparable when it is not of the shape that is read."""
    try:
        return read(value)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise NotComparable(f"{where} cannot be read ({error!r}): {str(value)[:200]}") from error


def put(into: dict[str, Value], path: str, value: Value) -> None:
    """Set a value by its dotted path; NotComparable when something else is there."""
    *parents, last = path.split(".")
    for name in parents:
        into = into.setdefault(name, {})
    if last in into and into[last] != value:
        raise NotComparable(f"{path} is said twice: {into[last]!r} and {value!r}")
    into[last] = value


def change(properties: dict[str, Value], path: str, read: Read) -> None:
    """Replace the value at a dotted path, if there is one."""
    *parents, last = path.split(".")
    place: Value = properties
    for name in parents:
        place = place.get(name) if isinstance(place, dict) else None
    if isinstance(place, dict) and last in place:
        place[last] = legible(read, place[last], path)
