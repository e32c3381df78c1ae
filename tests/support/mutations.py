"""Every way to change one value of a JSON document, one at a time."""

import json
from collections.abc import Iterator
from typing import Any

type Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The places of everything that has no parts, empty lists and objects among them; also within texts that are JSON."""
    match value:
        case dict() if value:
            for key, each in value.items():
                yield from leaves(each, (*path, key))
        case list() if value:
            for place, each in enumerate(value):
                yield from leaves(each, (*path, place))
        case str() if _is_json(value):
            yield from leaves(json.loads(value), (*path, "json"))
        case _:
            yield path


def changed(value: Any, path: Path) -> Any:
    """The document with another value at a place; what is not on the way there is shared, not copied."""
    if not path:
        return _another(value)
    first, *rest = path
    if first == "json" and isinstance(value, str):
        return json.dumps(changed(json.loads(value), tuple(rest)))
    copy = value.copy()
    copy[first] = changed(value[first], tuple(rest))
    return copy


def _is_json(text: str) -> bool:
    try:
        return text.startswith(("{", "[")) and isinstance(json.loads(text), dict | list)
    except json.JSONDecodeError:
        return False


def _another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case []:
            return ["x"]
        case {}:
            return {"x": "x"}
        case None:
            return "x"
        case _:
            raise AssertionError(f"{value!r} is no leaf")
