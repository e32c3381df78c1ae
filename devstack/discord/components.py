"""Rows of buttons and selects within their limits."""

from typing import Any, Final

from devstack.discord.errors import FormFaults, Json

ROW: Final = 1
BUTTON: Final = 2
STRING_SELECT: Final = 3
SELECTS: Final = frozenset({3, 5, 6, 7, 8})
LINK_STYLE: Final = 5
_ROWS, _BUTTONS, _OPTIONS = 5, 5, 25


def check_components(value: Any, faults: FormFaults) -> tuple[Json, ...]:
    """Check the rows of a message and number the components in them."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        faults.wrong_type("components", "a list of objects")
        return ()
    if len(value) > _ROWS:
        faults.too_long("components", _ROWS)
    seen: set[str] = set()
    for index, row in enumerate(value):
        _check_row(row, f"components.{index}", seen, faults)
    numbers = iter(range(1, 1_000))
    return tuple(
        {
            "id": next(numbers),
            **row,
            "components": [{"id": next(numbers), **child} for child in row.get("components", [])],
        }
        for row in value
    )


def find(components: tuple[Json, ...], custom_id: str) -> Json | None:
    """The component with a custom id."""
    children = (child for row in components for child in row.get("components", []))
    return next((child for child in children if child.get("custom_id") == custom_id), None)


def _check_row(row: Json, path: str, seen: set[str], faults: FormFaults) -> None:
    children = row.get("components")
    if row.get("type") != ROW:
        faults.add(f"{path}.type", "BASE_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
        return
    if not isinstance(children, list) or not children or not all(isinstance(child, dict) for child in children):
        faults.add(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        return
    holds_select = any(child.get("type") in SELECTS for child in children)
    if len(children) > (1 if holds_select else _BUTTONS):
        faults.add(
            f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
        )
    for index, child in enumerate(children):
        _check_child(child, f"{path}.components.{index}", seen, faults)


def _check_child(child: Json, path: str, seen: set[str], faults: FormFaults) -> None:
    kind = child.get("type")
    if kind == BUTTON:
        _check_button(child, path, faults)
    elif kind in SELECTS:
        options = child.get("options", [])
        if kind == STRING_SELECT and not 1 <= len(options) <= _OPTIONS:
            faults.add(f"{path}.options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
    else:
        faults.add(f"{path}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).')
        return
    if kind == BUTTON and child.get("style") == LINK_STYLE:
        return
    _check_custom_id(child.get("custom_id"), f"{path}.custom_id", seen, faults)


def _check_button(button: Json, path: str, faults: FormFaults) -> None:
    label, style = button.get("label") or "", button.get("style")
    if style not in {1, 2, 3, 4, LINK_STYLE}:
        faults.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5).")
    if len(label) > 80:
        faults.too_long(f"{path}.label", 80)
    if not label and not button.get("emoji"):
        faults.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button needs a label or an emoji")
    if style == LINK_STYLE and not str(button.get("url", "")).startswith(("http://", "https://")):
        faults.add(f"{path}.url", "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('http', 'https').")


def _check_custom_id(value: Any, path: str, seen: set[str], faults: FormFaults) -> None:
    if not isinstance(value, str) or not value:
        faults.required(path)
    elif len(value) > 100:
        faults.too_long(path, 100)
    elif value in seen:
        faults.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
    else:
        seen.add(value)
