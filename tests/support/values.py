"""Hypothesis strategies for any value of the domain, derived from its type."""

import types
import typing
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

_TEXT = st.text(max_size=20)
_NUMBERS = st.integers(-(10**12), 10**12)
_FLOATS = st.floats(-1e9, 1e9, allow_nan=False).filter(lambda number: number == 0 or abs(number) > 1e-9)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=5,
)

_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXT,
    bool: st.booleans(),
    int: _NUMBERS,
    float: _FLOATS,
    Decimal: st.decimals(-(10**9), 10**9, places=9),
    datetime: st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    types.NoneType: st.none(),
    bytes: st.binary(max_size=20),
    Any: _JSON,
}


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a type as structs of the domain use them."""
    if isinstance(annotation, typing.TypeAliasType):
        return values_of(annotation.__value__)
    if isinstance(annotation, typing.NewType):
        return values_of(annotation.__supertype__)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        hints = typing.get_type_hints(annotation)
        return st.builds(annotation, **{name: values_of(hints[name]) for name in annotation.__struct_fields__})
    return _composite(typing.get_origin(annotation), typing.get_args(annotation))


def _composite(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin in {types.UnionType, typing.Union}:
        return st.one_of([values_of(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is ...:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*[values_of(argument) for argument in arguments])
    if origin is dict:
        return st.dictionaries(st.text(min_size=1, max_size=5), values_of(arguments[1]), max_size=3)
    raise TypeError(f"no strategy for {origin!r} of {arguments!r}")
