"""Code fences in Discord's Markdown: three or more backticks open a block, as many or more close it."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_RUN = re.compile(r"(`{3,})(?:([\w+#.-]{1,20})(?=\n))?")
MOST_TICKS: Final = 10
"""Longer runs count as this long."""


class Fence(Struct, frozen=True):
    """An open code block: how many backticks opened it, and its language, "" for none."""

    ticks: int = 3
    language: str = ""

    @property
    def opening(self) -> str:
        """The line that opens such a block."""
        return f"{self._run}{self.language}\n"

    @property
    def closing(self) -> str:
        """The line that closes it."""
        return f"\n{self._run}"

    @property
    def _run(self) -> str:
        return "`" * self.ticks


class Span(Struct, frozen=True):
    """A code block in a text, fences included; ``fence`` is set when it is still open where the text ends."""

    start: int
    end: int
    fence: Fence | None = None


def spans(text: str, within: Fence | None = None) -> Iterator[Span]:
    """The code blocks of a text that begins inside the block ``within``, or outside any."""
    start, fence = 0, within
    for run in _RUN.finditer(text):
        ticks = min(len(run[1]), MOST_TICKS)
        if fence is None:
            start, fence = run.start(), Fence(ticks, run[2] or "")
        elif ticks >= fence.ticks:
            yield Span(start, run.end(1))
            fence = None
    if fence is not None:
        yield Span(start, len(text), fence)


def open_after(text: str, within: Fence | None = None) -> Fence | None:
    """The block that is open where a text ends."""
    fence = within
    for span in spans(text, within):
        fence = span.fence
    return fence
