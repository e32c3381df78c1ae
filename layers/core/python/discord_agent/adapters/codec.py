"""Values of the domain as plain JSON and as DynamoDB items, and back.

Writing follows the value, reading follows the annotated type. Both forms agree but for numbers: JSON spells a
Decimal as a string, so that no reader turns it into a float; an item holds numbers as Decimals, which is what
DynamoDB keeps. Unknown fields are ignored and missing ones take their defaults, because while a new version is
being deployed both versions read what the other wrote.
"""

import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from discord_agent.domain.errors import InvalidEvent

type Reader = Callable[[Any, str], Any]


def to_json(value: object) -> Any:
    """Plain JSON data: str, int, float, bool, None, lists and dicts; every field of a struct is present."""
    return _write(value, _json_number, omit_none=False)


def to_item(value: object) -> Any:
    """What a DynamoDB item can hold; fields that are None, as they are by default, are left out."""
    return _write(value, _item_number, omit_none=True)


def from_json[T](cls: type[T], data: object) -> T:
    """A ``cls`` from JSON data or an item; InvalidEvent names the path of what has the wrong shape."""
    annotation: Any = cls
    value: T = _reader(annotation)(data, cls.__name__)
    return value


def timestamp(moment: datetime) -> str:
    """An aware time as UTC text of fixed width, so that texts sort as times do."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json_number(value: float | Decimal) -> float | str:
    return str(value) if isinstance(value, Decimal) else value


def _item_number(value: float | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _write(value: object, number: Callable[[float | Decimal], Any], *, omit_none: bool) -> Any:
    def write(value: object) -> Any:
        match value:
            case tuple() | list():
                return [write(item) for item in value]
            case Mapping():
                return {str(key): write(item) for key, item in value.items()}
            case float() | Decimal():
                return number(value)
        if not isinstance(value, Struct):
            return _plain(value)
        return {
            name: write(content)
            for name, is_none_by_default in _names(type(value))
            if (content := getattr(value, name)) is not None or not (omit_none and is_none_by_default)
        }

    return write(value)


@cache
def _names(cls: type[Struct]) -> tuple[tuple[str, bool], ...]:
    """Its fields, each with whether it is None by default."""
    return tuple((field.name, field.default is None) for field in fields(cls))


def _plain(value: object) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return timestamp(value)
        case None | str() | int():
            return value
    raise TypeError(f"cannot be stored: {type(value).__name__}")


@cache
def _reader(annotation: Any) -> Reader:
    if isinstance(annotation, typing.TypeAliasType):
        return _reader(annotation.__value__)
    if isinstance(annotation, typing.NewType):
        return _reader(annotation.__supertype__)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enum(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return _record(annotation)
    return _composite(typing.get_origin(annotation), typing.get_args(annotation))


def _composite(origin: Any, arguments: tuple[Any, ...]) -> Reader:
    if origin in {types.UnionType, typing.Union}:
        return _optional(arguments)
    if origin is tuple and arguments[-1] is ...:
        return _sequence(_reader(arguments[0]))
    if origin is tuple:
        return _fixed([_reader(argument) for argument in arguments])
    if origin is dict and arguments[0] is str:
        return _mapping(_reader(arguments[1]))
    raise TypeError(f"the codec does not know {origin!r} of {arguments!r}")


def _wrong(path: str, wanted: str, data: object) -> InvalidEvent:
    return InvalidEvent(f"{path}: expected {wanted}, got {type(data).__name__}")


def _text(data: Any, path: str) -> str:
    if not isinstance(data, str):
        raise _wrong(path, "text", data)
    return data


def _boolean(data: Any, path: str) -> bool:
    if not isinstance(data, bool):
        raise _wrong(path, "true or false", data)
    return data


def _integer(data: Any, path: str) -> int:
    whole = isinstance(data, int) or (isinstance(data, Decimal | float) and data % 1 == 0)
    if not whole or isinstance(data, bool):
        raise _wrong(path, "a whole number", data)
    return int(data)


def _floating(data: Any, path: str) -> float:
    if not isinstance(data, int | float | Decimal) or isinstance(data, bool):
        raise _wrong(path, "a number", data)
    return float(data)


def _exact(data: Any, path: str) -> Decimal:
    if not isinstance(data, str | int | Decimal) or isinstance(data, bool):
        raise _wrong(path, "a decimal number", data)
    try:
        number = Decimal(data)
    except InvalidOperation as error:
        raise _wrong(path, "a decimal number", data) from error
    if not number.is_finite():
        raise _wrong(path, "a finite number", data)
    return number


def _moment(data: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(data, path))
    except ValueError as error:
        raise InvalidEvent(f"{path}: expected an ISO time") from error
    if moment.tzinfo is None:
        raise InvalidEvent(f"{path}: expected a time with a zone")
    return moment.astimezone(UTC)


def _anything(data: Any, path: str) -> Any:
    match data:
        case Decimal():
            return int(data) if data % 1 == 0 else float(data)
        case list():
            return [_anything(item, path) for item in data]
        case dict():
            return {key: _anything(item, path) for key, item in data.items()}
    return data


_SCALARS: dict[Any, Reader] = {
    str: _text,
    bool: _boolean,
    int: _integer,
    float: _floating,
    Decimal: _exact,
    datetime: _moment,
    Any: _anything,
}


def _optional(arguments: tuple[Any, ...]) -> Reader:
    inner = [argument for argument in arguments if argument is not types.NoneType]
    if len(inner) != 1:
        raise TypeError(f"the codec knows no union but with None: {arguments!r}")
    read = _reader(inner[0])
    return lambda data, path: None if data is None else read(data, path)


def _items(data: Any, path: str) -> list[Any] | tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise _wrong(path, "a list", data)
    return data


def _object(data: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise _wrong(path, "an object", data)
    return data


def _sequence(read: Reader) -> Reader:
    return lambda data, path: tuple(read(item, f"{path}[{index}]") for index, item in enumerate(_items(data, path)))


def _fixed(readers: list[Reader]) -> Reader:
    def read(data: Any, path: str) -> tuple[Any, ...]:
        items = _items(data, path)
        if len(items) != len(readers):
            raise InvalidEvent(f"{path}: expected {len(readers)} items, got {len(items)}")
        return tuple(
            each(item, f"{path}[{index}]") for index, (each, item) in enumerate(zip(readers, items, strict=True))
        )

    return read


def _mapping(read: Reader) -> Reader:
    return lambda data, path: {key: read(item, f"{path}.{key}") for key, item in _object(data, path).items()}


def _enum(cls: type[Enum]) -> Reader:
    def read(data: Any, path: str) -> Enum:
        try:
            return cls(data)
        except ValueError as error:
            raise InvalidEvent(f"{path}: not a {cls.__name__}: {data!r:.40}") from error

    return read


@cache
def _field_readers(cls: type[Struct]) -> dict[str, Reader]:
    hints = typing.get_type_hints(cls)
    return {name: _reader(hints[name]) for name in cls.__struct_fields__}


def _record(cls: type[Struct]) -> Reader:
    readers = _field_readers(cls)
    required = [field.name for field in fields(cls) if field.required]

    def read(data: Any, path: str) -> Any:
        content = _object(data, path)
        missing = [name for name in required if name not in content]
        if missing:
            raise InvalidEvent(f"{path}: missing {', '.join(missing)}")
        return cls(**{name: each(content[name], f"{path}.{name}") for name, each in readers.items() if name in content})

    return read
