"""Fitting text into what Discord takes: limits of embeds, and text that must not act as Markdown."""

import re
from copy import replace
from typing import Final

from discord_agent.domain.chunking import cut
from discord_agent.domain.posts import Embed, Field

TITLE_LIMIT: Final = 256
DESCRIPTION_LIMIT: Final = 4096
FIELDS_LIMIT: Final = 25
FIELD_NAME_LIMIT: Final = 256
FIELD_VALUE_LIMIT: Final = 1024
FOOTER_LIMIT: Final = 2048
EMBED_LIMIT: Final = 6000
BUTTON_LABEL_LIMIT: Final = 80

_NOTHING = "-"  # Discord refuses empty names and values
_ACTIVE = re.compile(r"[\\*`~|<\[]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|_(?=_)|^[>#-](?=\s)")


def line(text: str, limit: int) -> str:
    """Foreign text as one line of at most ``limit`` characters, markup included, that formats and mentions nothing."""
    plain = " ".join(text.split())
    escaped = _escape(plain)
    if len(escaped) <= limit:
        return escaped
    kept = _escape(plain[:limit])[: limit - 1]
    is_escape_cut = (len(kept) - len(kept.rstrip("\\"))) % 2 == 1
    return f"{kept[:-1] if is_escape_cut else kept}…"


def short(text: str, limit: int) -> str:
    """Text that Discord shows without formatting (titles of buttons, footers), as one line of at most ``limit``."""
    plain = " ".join(text.split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def fit(embed: Embed) -> Embed:
    """The embed within Discord's limits; what is too much goes from the fields' end, then the description's."""
    fitted = replace(
        embed,
        title=short(embed.title, TITLE_LIMIT),
        description=cut(embed.description, DESCRIPTION_LIMIT),
        fields=tuple(_fit_field(field) for field in embed.fields[:FIELDS_LIMIT]),
        footer=short(embed.footer, FOOTER_LIMIT),
    )
    while size(fitted) > EMBED_LIMIT and size(replace(fitted, description="")) > EMBED_LIMIT // 2:
        fitted = replace(fitted, fields=fitted.fields[:-1])
    room = EMBED_LIMIT - size(replace(fitted, description=""))
    return replace(fitted, description=cut(fitted.description, min(room, DESCRIPTION_LIMIT)))


def size(embed: Embed) -> int:
    """The characters that count towards an embed's limit."""
    fields = sum(len(field.name) + len(field.value) for field in embed.fields)
    return len(embed.title) + len(embed.description) + fields + len(embed.footer)


def _fit_field(field: Field) -> Field:
    return replace(
        field,
        name=short(field.name, FIELD_NAME_LIMIT) or _NOTHING,
        value=cut(field.value, FIELD_VALUE_LIMIT) or _NOTHING,
    )


def _escape(text: str) -> str:
    return _ACTIVE.sub(r"\\\g<0>", text)
