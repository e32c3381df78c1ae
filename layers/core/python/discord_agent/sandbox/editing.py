"""Replacing text in a file when the old text is not remembered to the last space."""

import difflib
from dataclasses import dataclass
from typing import Final

from discord_agent.sandbox.outcome import ToolRefused

_SHOWN_MATCHES: Final = 5
_COMPARED_LINES: Final = 20_000
"""Longer files are not searched for similar lines: it would take seconds."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The new text, how many places changed, and whether white space had to be ignored."""

    text: str
    places: int
    tolerant: bool = False


def edit(text: str, old: str, new: str, *, everywhere: bool = False) -> Edited:
    """Replace ``old`` by ``new``: exactly, else ignoring white space at the ends of lines; it must be unique.

    Line ends of the file are kept. ToolRefused says where the old text occurs, or shows the nearest lines.
    """
    if "\r\n" in text:
        edited = edit(text.replace("\r\n", "\n"), _unix(old), _unix(new), everywhere=everywhere)
        return Edited(edited.text.replace("\n", "\r\n"), edited.places, edited.tolerant)
    if old == new:
        raise ToolRefused("old and new are the same text")
    count = text.count(old)
    if count == 1 or (count and everywhere):
        return Edited(text.replace(old, new), count)
    if count:
        raise ToolRefused(
            f"the old text occurs {count} times, at lines {_line_numbers(text, old)}; "
            "add lines around it to make it unique, or set all"
        )
    return _edit_tolerantly(text, old, new, everywhere=everywhere)


def _edit_tolerantly(text: str, old: str, new: str, *, everywhere: bool) -> Edited:
    lines, wanted = text.split("\n"), old.strip("\n").split("\n")
    stripped, target = [line.strip() for line in lines], [line.strip() for line in wanted]
    if not any(target):
        raise ToolRefused("the old text is only white space and occurs nowhere exactly")
    starts = [
        start
        for start in range(len(lines) - len(target) + 1)
        if stripped[start] == target[0] and stripped[start : start + len(target)] == target
    ]
    if not starts:
        raise ToolRefused(f"the old text does not occur in the file.{_nearest(lines, stripped, target)}")
    if len(starts) > 1 and not everywhere:
        numbers = ", ".join(str(start + 1) for start in starts[:_SHOWN_MATCHES])
        raise ToolRefused(f"but for white space the old text occurs {len(starts)} times, at lines {numbers}")
    replaced = 0
    for start in reversed(starts):
        if start + len(target) <= len(lines):
            found = lines[start : start + len(target)]
            lines[start : start + len(target)] = _reindent(new.strip("\n").split("\n"), wanted, found)
            replaced += 1
    return Edited("\n".join(lines), replaced, tolerant=True)


def _reindent(new: list[str], wanted: list[str], found: list[str]) -> list[str]:
    """Shift new lines by what the file is indented more, or less, than the remembered text."""
    pairs = [(_indent(want), _indent(have)) for want, have in zip(wanted, found, strict=True) if want.strip()]
    before, after = pairs[0]
    if before == after:
        return new
    if after.endswith(before):
        extra = after[: len(after) - len(before)]
        return [extra + line if line.strip() else line for line in new]
    return [after + line.removeprefix(before) if line.strip() else line for line in new]


def _nearest(lines: list[str], stripped: list[str], target: list[str]) -> str:
    if len(lines) > _COMPARED_LINES:
        return " The file is too long to search for similar lines; read the place again."
    key = max(target, key=len)
    similar = difflib.get_close_matches(key, dict.fromkeys(stripped), n=1, cutoff=0.5)
    if not similar:
        return " No line of it resembles the old text; read the file again."
    at = stripped.index(similar[0])
    first = max(0, at - target.index(key) - 2)
    shown = lines[first : first + len(target) + 4]
    numbered = "\n".join(f"{first + index + 1:>5}  {line}" for index, line in enumerate(shown))
    return f" The nearest lines are:\n{numbered}"


def _line_numbers(text: str, old: str) -> str:
    at = text.find(old)
    numbers: list[str] = []
    while at >= 0 and len(numbers) < _SHOWN_MATCHES:
        numbers.append(str(text.count("\n", 0, at) + 1))
        at = text.find(old, at + len(old))
    return ", ".join(numbers)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")
