"""Cutting answers into Discord messages (behaviour contract, sections 4 and 15.2)."""

import re
from collections.abc import Iterator
from typing import Final

from discord_agent.domain import fences
from discord_agent.domain.fences import Fence
from discord_agent.domain.posts import Post, UploadFile

LIMIT: Final = 1900
"""Characters of text per message: Discord's 2000 leave room for fences that are closed and opened again."""

MOST_MESSAGES: Final = 5
"""An answer of more messages is sent as a file: people do not read it in a chat, and Discord slows us down."""

_LATE_ENOUGH = 70  # per cent of the limit
_PREVIEW = 1200
_TRAILING_OPENING = re.compile(r"\n?`{3,}[\w+#.-]{0,20}\n*\Z")
_LEADING_CLOSING = re.compile(r"\n*(`{3,})\n?")
_ELLIPSIS = "…"
_MOST_CLOSING = len(Fence(fences.MOST_TICKS).closing)


def posts(text: str, *, file_name: str = "answer.md") -> tuple[Post, ...]:
    """An answer as messages, or as its beginning with the whole as a file when it is very long."""
    parts = split(text)
    if len(parts) <= MOST_MESSAGES:
        return tuple(Post(content=part) for part in parts)
    note = f"📎 The whole answer is in **{file_name}**."
    return (Post(content=f"{cut(text, _PREVIEW)}\n\n{note}", files=(UploadFile(file_name, text.encode()),)),)


def split(text: str, limit: int = LIMIT) -> tuple[str, ...]:
    """The text as messages; a code block that is cut is closed and opened again, blank messages are left out."""
    return tuple(part for part in _dressed(pieces(text, limit)) if part.strip())


def pieces(text: str, limit: int = LIMIT) -> tuple[str, ...]:
    """Cut a text so that the pieces joined are the text.

    A cut comes just after the last newline that lies beyond 70 % of the limit, else at the limit; such a newline
    itself may be one character over, which Discord strips.
    """
    found = []
    while len(text) > limit:
        end = _cut_at(text, limit)
        found.append(text[:end])
        text = text[end:]
    return (*found, text) if text else tuple(found)


def cut(text: str, limit: int) -> str:
    """The beginning of a text within ``limit`` (at least 40) characters; an open code block is closed."""
    if len(text) <= limit:
        closing = _closing_of(text)
        if len(text) + len(closing) <= limit:
            return text + closing
    room = limit - len(_ELLIPSIS) - _MOST_CLOSING
    head = text[:room].rstrip("`")
    return f"{head}{_ELLIPSIS}{_closing_of(head)}"


def _closing_of(text: str) -> str:
    fence = fences.open_after(text)
    return fence.closing if fence else ""


def _cut_at(text: str, limit: int) -> int:
    newline = text.rfind("\n", 0, limit + 1)
    if newline * 100 > limit * _LATE_ENOUGH:
        return newline + 1
    before_fence = len(text[:limit].rstrip("`"))
    splits_a_fence = text[limit] == "`" and before_fence < limit and before_fence * 100 > limit * _LATE_ENOUGH
    return before_fence if splits_a_fence else limit


def _dressed(raw: tuple[str, ...]) -> Iterator[str]:
    """Pieces as they are shown: no code block runs from one into the next."""
    fence: Fence | None = None
    for piece in raw:
        following = fences.open_after(piece, fence)
        shown = piece
        if fence is not None:
            closes_at_once = _closes(piece, fence)
            shown = piece[closes_at_once:] if closes_at_once else fence.opening + piece
        if following is not None and piece is not raw[-1]:
            opens_at_last = _TRAILING_OPENING.search(shown)
            shown = shown[: opens_at_last.start()] if opens_at_last else shown.removesuffix("\n") + following.closing
        yield shown
        fence = following


def _closes(piece: str, fence: Fence) -> int:
    """How many characters at the start of a piece do nothing but close ``fence``; 0 if it goes on."""
    start = _LEADING_CLOSING.match(piece)
    return start.end() if start and len(start[1]) >= fence.ticks else 0
