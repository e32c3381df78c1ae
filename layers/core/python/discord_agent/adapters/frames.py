"""Zstandard frames: how everything large is stored."""

from typing import Final

from backports import zstd

_DEFAULT_LEVEL: Final = 3


class DamagedFrame(ValueError):
    """Not a whole frame, or one that holds more than it may."""


def compress(content: bytes, level: int = _DEFAULT_LEVEL) -> bytes:
    """One frame, with the content's size in its header."""
    return zstd.compress(content, level)


def content_size(frame: bytes) -> int | None:
    """What the header says of the content's size in bytes, None if nothing; DamagedFrame."""
    try:
        return zstd.get_frame_info(frame).decompressed_size
    except zstd.ZstdError as error:
        raise DamagedFrame("not a zstd frame") from error


def decompress(frame: bytes, limit: int) -> bytes:
    """The content of at most ``limit`` bytes; DamagedFrame."""
    reader = zstd.ZstdDecompressor()
    try:
        content = reader.decompress(frame, max_length=limit + 1)
    except zstd.ZstdError as error:
        raise DamagedFrame("not a zstd frame") from error
    if len(content) > limit or not reader.eof:
        raise DamagedFrame(f"more than {limit} bytes, or cut off")
    return content
