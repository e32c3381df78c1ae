"""How values are shown that hold what nobody should read in a log: secrets, and what is too large for it."""

from msgspec import Struct


def shown(value: Struct, *, without: tuple[str, ...]) -> str:
    """The usual text of a value, with the fields ``without`` left out."""
    told = (f"{name}={getattr(value, name)!r}" for name in value.__struct_fields__ if name not in without)
    return f"{type(value).__name__}({', '.join(told)})"
