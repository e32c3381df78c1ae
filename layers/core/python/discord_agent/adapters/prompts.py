"""Prompt templates: the files in ``prompts/templates``, filled in one pass."""

import json
import re
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)

from discord_agent.domain.errors import InvalidSettings

FALLBACK: Final = "_default"
_SHORT: Final = 1500
_TAGS: Final = (
    "discord_message",
    "discord_history",
    "memory",
    "workspace_files",
    "task",
    "plan",
    "instructions",
    "transcript",
    "brief",
    "proposal",
    "summary",
    "evidence",
    "attachment",
)
_UNSEEN: Final = r"\s\u200b-\u200f\u2060\ufeff"
"""A model reads over blanks and invisible characters inside a tag."""

_TAG: Final = re.compile(rf"<(?=[/{_UNSEEN}]*(?:{'|'.join(_TAGS)})\b)", re.IGNORECASE)


class TemplatePrompts:
    """Renders the templates under ``root``; what has no template of its own takes the ``_default`` of its folder."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "templates"
        self._environment = Environment(
            loader=FileSystemLoader(self._folder),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - prompts are no HTML; the filter inert guards their tags
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters |= {"inert": _inert, "attribute": _attribute, "shortened": _shortened}

    def render(self, name: str, **values: Any) -> str:
        """Fill a template; InvalidSettings names a missing template or variable."""
        folder, _, _ = name.rpartition("/")
        fallback = [f"{folder}/{FALLBACK}.md.jinja"] if folder else []
        try:
            template = self._environment.select_template([f"{name}.md.jinja", *fallback])
            return template.render(values).strip()
        except TemplateNotFound as error:
            raise InvalidSettings(f"prompt {name}: no template {error.name} in {self._folder}") from error
        except UndefinedError as error:
            raise InvalidSettings(f"prompt {name}: {error.message}") from error
        except TemplateSyntaxError as error:
            raise InvalidSettings(f"prompt {name}: {error.filename}, line {error.lineno}: {error.message}") from error


def _inert(text: object) -> str:
    """Text that cannot open or close the tags which mark data."""
    return _TAG.sub("&lt;", str(text)).strip()


def _attribute(text: object) -> str:
    return json.dumps(_inert(" ".join(str(text).split()))[:100], ensure_ascii=False)


def _shortened(text: object) -> str:
    """The head and the tail of a long text."""
    whole = str(text)
    half = _SHORT // 2
    return whole if len(whole) <= _SHORT else f"{whole[:half]}\n…\n{whole[-half:]}"
