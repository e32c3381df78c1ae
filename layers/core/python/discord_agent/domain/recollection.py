"""How much of a thread is shown word for word, and what is left to a summary."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from discord_agent.domain.ids import MessageId
from discord_agent.domain.inbound import InboundMessage

SHOWN: Final = 50
"""The newest messages that are shown after a summary was made."""
MOST_SHOWN: Final = 80
MOST_CHARACTERS: Final = 24_000
"""From more than so many messages, or characters of them, on the older ones are summed up: not at every message."""
LINE_LIMIT: Final = 4_000

type Told = tuple[InboundMessage, str]


class Split(Struct, frozen=True):
    """What was said since the last summary: ``old`` for the next one, ``shown`` word for word."""

    old: tuple[Told, ...]
    shown: tuple[Told, ...]

    @property
    def through(self) -> MessageId:
        """The newest message of the old part."""
        return self.old[-1][0].id


def split(told: Sequence[Told]) -> Split:
    """Part what was said, oldest first; ``old`` is empty as long as all of it can be shown."""
    is_little = len(told) <= MOST_SHOWN and sum(_length(line) for _, line in told) <= MOST_CHARACTERS
    if is_little:
        return Split((), tuple(told))
    count, room = 0, MOST_CHARACTERS // 2
    for _, line in reversed(told[-SHOWN:]):
        room -= _length(line)
        if room < 0 and count:
            break
        count += 1
    return Split(tuple(told[: len(told) - count]), tuple(told[len(told) - count :]))


def lines(summary: str, shown: Sequence[Told], *, unread: int = 0) -> tuple[str, ...]:
    """The conversation as models read it; ``unread`` counts messages that are neither shown nor summed up."""
    earlier = "\n  ".join(("(what was said before, summed up)", *summary.splitlines())) if summary else ""
    gap = f"({unread} earlier messages are not shown)" if unread else ""
    said = (_cut(line) for _, line in shown)
    return tuple(line for line in (earlier, gap, *said) if line)


def batches(old: Sequence[Told], limit: int) -> tuple[tuple[str, ...], ...]:
    """Lines in groups of about ``limit`` characters, in order."""
    groups: list[list[str]] = [[]]
    room = limit
    for line in (_cut(line) for _, line in old):
        if groups[-1] and room < len(line):
            groups.append([])
            room = limit
        groups[-1].append(line)
        room -= len(line)
    return tuple(tuple(group) for group in groups if group)


def _length(line: str) -> int:
    return min(len(line), LINE_LIMIT)


def _cut(line: str) -> str:
    return line if len(line) <= LINE_LIMIT else f"{line[: LINE_LIMIT // 2]} … {line[-LINE_LIMIT // 2 + 3 :]}"
