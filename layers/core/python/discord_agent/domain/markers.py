"""``<<path>>`` in an answer: which file of the workspace is meant (behaviour contract, section 13)."""

import re
from collections.abc import Collection, Iterator

from msgspec import Struct

from discord_agent.domain import fences
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.workspace import safe_path

_MARKER = re.compile(r"<<([^>]+)>>")


class TextPart(Struct, frozen=True):
    """Text between markers."""

    text: str


class FilePart(Struct, frozen=True):
    """A file of the workspace, sent where its marker stood."""

    path: str


type Part = TextPart | FilePart


class Resolved(Struct, frozen=True):
    """An answer with each marker replaced by the file's name, and the files, each once."""

    text: str
    files: tuple[str, ...]


def resolve(answer: str, known: Collection[str]) -> Resolved:
    """Replace markers of known paths by ``📎 **name**``; anything else stays as it is written."""
    parts = split(answer, known)
    shown = [part.text if isinstance(part, TextPart) else f"📎 **{_name(part.path)}**" for part in parts]
    files = dict.fromkeys(part.path for part in parts if isinstance(part, FilePart))
    return Resolved("".join(shown), tuple(files))


def split(answer: str, known: Collection[str]) -> tuple[Part, ...]:
    """An answer as text and files in order; one text part when there is no marker of a known path outside code."""
    parts: list[Part] = []
    end = 0
    for marker, path in _markers(answer, known):
        parts += [TextPart(answer[end : marker.start()]), FilePart(path)]
        end = marker.end()
    rest = TextPart(answer[end:])
    return tuple(part for part in (*parts, rest) if part != TextPart("")) or (rest,)


def _markers(answer: str, known: Collection[str]) -> Iterator[tuple[re.Match[str], str]]:
    code = list(fences.spans(answer))
    for marker in _MARKER.finditer(answer):
        in_code = any(block.start <= marker.start() < block.end for block in code)
        path = _known_path(marker[1], known)
        if path is not None and not in_code:
            yield marker, path


def _known_path(text: str, known: Collection[str]) -> str | None:
    try:
        path = safe_path(text)
    except InvalidInput:
        return None
    return path if path in known else None


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
