"""Which files are pictures that models can be shown."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from discord_agent.domain.conversation import Image, Message

LARGEST: Final = 3_500_000
"""Bytes; the strictest provider takes 3.75 MB."""
MOST: Final = 5
"""Pictures per request of a person."""

_ENDINGS: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
_SIGNATURES: Final = (
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/gif", b"GIF8"),
)

MEDIA_TYPES: Final = frozenset({"image/webp", *(media_type for media_type, _ in _SIGNATURES)})


def is_named_so(path: str) -> bool:
    """Whether a file's name is that of a picture; what it holds decides."""
    return PurePosixPath(path).suffix.lower() in _ENDINGS


def picture(path: str, content: bytes) -> Image | None:
    """A file as a picture; None when it is none, or too large: providers refuse what is not what it is said to be."""
    media_type = _media_type(content)
    return Image(path, media_type) if media_type and len(content) <= LARGEST else None


def shown_in(messages: Sequence[Message]) -> tuple[Image, ...]:
    """The pictures of a conversation, each once."""
    return tuple(dict.fromkeys(image for message in messages for image in message.images))


def _media_type(content: bytes) -> str:
    is_webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    known = (media_type for media_type, signature in _SIGNATURES if content.startswith(signature))
    return "image/webp" if is_webp else next(known, "")
