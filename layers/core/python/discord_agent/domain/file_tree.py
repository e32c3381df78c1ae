"""A workspace's files as people read them."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from discord_agent.domain.workspace import FileEntry, Manifest

TREE_LIMIT: Final = 1900
"""Characters, so that the tree and the fence around it fit into one message."""

_STEP: Final = 1024
_UNITS: Final = ("KB", "MB", "GB")
_BRANCH, _LAST, _TRUNK, _SPACE = "├── ", "└── ", "│   ", "    "


class _Folder(Struct):
    folders: "dict[str, _Folder]" = field(default_factory=dict)
    files: dict[str, FileEntry] = field(default_factory=dict)

    def below(self, parts: list[str]) -> "_Folder":
        """The folder at a path, made where it is missing."""
        folder = self
        for part in parts:
            folder = folder.folders.setdefault(part, _Folder())
        return folder


def tree(manifest: Manifest) -> str:
    """Folders first, then files, both by name; what does not fit is counted. "" without files."""
    root = _Folder()
    for entry in manifest.files:
        *parents, name = entry.path.split("/")
        root.below(parents).files[name] = entry
    return _within(tuple(_lines(root, "")))


def size(number: int) -> str:
    """Bytes with a unit; from one KB on with one decimal."""
    if number < _STEP:
        return f"{number} B"
    in_units = ((number / _STEP**power, unit) for power, unit in enumerate(_UNITS, start=1))
    shown, unit = next((pair for pair in in_units if round(pair[0], 1) < _STEP), (number / _STEP**3, _UNITS[-1]))
    return f"{shown:.1f} {unit}"


def _lines(folder: _Folder, indent: str) -> Iterator[str]:
    left = len(folder.folders) + len(folder.files)
    for name, below in _by_name(folder.folders):
        left -= 1
        yield f"{indent}{_BRANCH if left else _LAST}{_plain(name)}/"
        yield from _lines(below, indent + (_TRUNK if left else _SPACE))
    for name, entry in _by_name(folder.files):
        left -= 1
        yield f"{indent}{_BRANCH if left else _LAST}{_plain(name)} ({size(entry.size)})"


def _by_name[T](entries: dict[str, T]) -> list[tuple[str, T]]:
    return sorted(entries.items(), key=lambda item: (item[0].casefold(), item[0]))


def _plain(name: str) -> str:
    """A name that cannot end the code block it is shown in."""
    return name.replace("```", "'''")


def _within(lines: tuple[str, ...]) -> str:
    whole = "\n".join(lines)
    if len(whole) <= TREE_LIMIT:
        return whole
    room = TREE_LIMIT - len(f"… and {len(lines)} more lines")
    shown: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    return "\n".join((*shown, f"… and {len(lines) - len(shown)} more lines"))
