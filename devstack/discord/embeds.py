"""Embeds within their limits."""

from typing import Any, Final

from devstack.discord.errors import FormFaults, Json

EMBEDS: Final = 10
FIELDS: Final = 25
TOTAL: Final = 6000
_TEXTS = {"title": 256, "description": 4096}
_MAX_COLOUR = 0xFFFFFF


def check_embeds(value: Any, files: tuple[Any, ...], faults: FormFaults) -> tuple[Json, ...]:
    """Check a list of embeds; ``files`` are the uploads that ``attachment://`` may name."""
    if not isinstance(value, list) or not all(isinstance(embed, dict) for embed in value):
        faults.wrong_type("embeds", "a list of objects")
        return ()
    if len(value) > EMBEDS:
        faults.too_long("embeds", EMBEDS)
    names = {file.filename for file in files}
    total = sum(_check_embed(embed, f"embeds.{index}", names, faults) for index, embed in enumerate(value))
    if total > TOTAL:
        faults.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {TOTAL}")
    return tuple({"type": "rich", **embed} for embed in value)


def _check_embed(embed: Json, path: str, names: set[str], faults: FormFaults) -> int:
    """Check one embed and return its number of characters."""
    total = sum(_text(embed.get(name), f"{path}.{name}", limit, faults) for name, limit in _TEXTS.items())
    footer, author = embed.get("footer") or {}, embed.get("author") or {}
    total += _text(footer.get("text"), f"{path}.footer.text", 2048, faults)
    total += _text(author.get("name"), f"{path}.author.name", 256, faults)
    fields = embed.get("fields") or []
    if len(fields) > FIELDS:
        faults.too_long(f"{path}.fields", FIELDS)
    for index, item in enumerate(fields):
        total += _required(item.get("name"), f"{path}.fields.{index}.name", 256, faults)
        total += _required(item.get("value"), f"{path}.fields.{index}.value", 1024, faults)
    colour = embed.get("color")
    if colour is not None and not (isinstance(colour, int) and 0 <= colour <= _MAX_COLOUR):
        faults.add(f"{path}.color", "NUMBER_TYPE_MAX", f"int value should be between 0 and {_MAX_COLOUR}.")
    for part in ("image", "thumbnail"):
        _link((embed.get(part) or {}).get("url"), f"{path}.{part}.url", names, faults)
    return total


def _text(value: Any, path: str, limit: int, faults: FormFaults) -> int:
    if value is None:
        return 0
    if not isinstance(value, str):
        faults.wrong_type(path, "a string")
        return 0
    if len(value) > limit:
        faults.too_long(path, limit)
    return len(value)


def _required(value: Any, path: str, limit: int, faults: FormFaults) -> int:
    if value is None or value == "":
        faults.required(path)
        return 0
    return _text(value, path, limit, faults)


def _link(value: Any, path: str, names: set[str], faults: FormFaults) -> None:
    if value is None:
        return
    scheme, _, rest = str(value).partition("://")
    if scheme == "attachment" and rest not in names:
        faults.add(path, "ATTACHMENT_NOT_FOUND", "No uploaded file has this name.")
    elif scheme not in {"attachment", "http", "https"}:
        faults.add(path, "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('http', 'https').")
