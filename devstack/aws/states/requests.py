"""What all operations of Step Functions do with their requests."""

from typing import Any, Final

from devstack.aws.interpreter.definition import InvalidDefinition, compile_definition

_NAME_LIMIT: Final = 80
_FORBIDDEN: Final = frozenset(' \t\n\r<>{}[]?*"#%\\^|~`$&,;:/')

type Json = dict[str, Any]


class ApiError(Exception):
    """The service refuses; ``code`` is the API's name for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def required(request: Json, field: str) -> str:
    """A text that has to be there."""
    value = request.get(field)
    if not isinstance(value, str) or not value:
        raise ApiError("ValidationException", f"Value at '{field}' failed to satisfy constraint: must not be null")
    return value


def checked_name(name: str) -> str:
    """A name as AWS takes it."""
    if not 0 < len(name) <= _NAME_LIMIT or any(letter in _FORBIDDEN or ord(letter) < 32 for letter in name):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name


def checked_definition(definition: str) -> str:
    """A definition that the interpreter can run."""
    try:
        compile_definition(definition)
    except InvalidDefinition as error:
        raise ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
    return definition
