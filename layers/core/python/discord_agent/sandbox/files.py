"""The tools on files: read, write, edit, list, glob."""

import difflib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from discord_agent.domain.conversation import Json
from discord_agent.domain.sandbox_tools import READ_LINES
from discord_agent.domain.workspace import EXCLUDED_NAMES, MAX_FILE_BYTES, is_excluded
from discord_agent.sandbox.editing import edit
from discord_agent.sandbox.outcome import Outcome, ToolRefused
from discord_agent.sandbox.paths import locate, locate_folder

_LINE_CHARACTERS: Final = 2000
_TEXT_CHARACTERS: Final = 60_000
_LISTED: Final = 400
_DIFF_LINES: Final = 60


def read_file(root: Path, arguments: Json) -> Outcome:
    """Lines of a text file."""
    path = _existing_file(root, arguments["path"])
    start = int(arguments.get("offset", 1))
    wanted = int(arguments.get("limit", READ_LINES))
    with path.open("rb") as file:
        if b"\0" in file.read(8192):
            return Outcome(f"{arguments['path']} is a binary file of {path.stat().st_size} bytes", ok=False)
        file.seek(0)
        lines: list[str] = []
        size = 0
        for line in itertools.islice(file, start - 1, start - 1 + wanted):
            text = line.decode("utf-8", "replace")
            shown = text if len(text) <= _LINE_CHARACTERS else f"{text[:_LINE_CHARACTERS]}… [line cut]\n"
            if size + len(shown) > _TEXT_CHARACTERS:
                break
            size += len(shown)
            lines.append(shown)
    more = _has_line(path, start + len(lines))
    if not lines and start > 1:
        raise ToolRefused(f"{arguments['path']} has fewer than {start} lines")
    note = f"\n[more lines follow; go on with offset {start + len(lines)}]" if more else ""
    return Outcome("".join(lines) + note or "[the file is empty]")


def write_file(root: Path, arguments: Json) -> Outcome:
    """Create or replace a file."""
    path = locate(root, arguments["path"])
    content = arguments["content"].encode()
    if len(content) > MAX_FILE_BYTES:
        raise ToolRefused(f"the content is larger than {MAX_FILE_BYTES >> 20} MB")
    existed = _write(path, content)
    note = " (in a folder that is not saved)" if is_excluded(arguments["path"]) else ""
    return Outcome(f"{'replaced' if existed else 'created'} {arguments['path']}, {len(content)} bytes{note}")


def edit_file(root: Path, arguments: Json) -> Outcome:
    """Replace a piece of a file; shows what changed."""
    path = _existing_file(root, arguments["path"])
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ToolRefused(f"the file is larger than {MAX_FILE_BYTES >> 20} MB")
    try:
        before = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolRefused(f"{arguments['path']} is not a UTF-8 text file") from error
    edited = edit(before, arguments["old"], arguments["new"], everywhere=bool(arguments.get("all", False)))
    _write(path, edited.text.encode())
    places = f"{edited.places} place{'s' if edited.places != 1 else ''}"
    how = ", ignoring white space" if edited.tolerant else ""
    return Outcome(f"edited {arguments['path']} in {places}{how}\n{_short_diff(before, edited.text)}")


def list_files(root: Path, arguments: Json) -> Outcome:
    """Files below a folder; folders are summed up when there are too many files to show."""
    folder = locate_folder(root, arguments.get("path", ""))
    if not folder.is_dir():
        raise ToolRefused(f"{arguments['path']} is not a folder")
    files = list(itertools.islice(_walk(folder), _LISTED + 1))
    if len(files) <= _LISTED:
        names = [f"{path.relative_to(root).as_posix()}  {_size(path)}" for path in sorted(files)]
        return Outcome("\n".join(names) or "[no files]")
    children = sorted(folder.iterdir(), key=lambda child: (not child.is_dir(), child.name))
    return Outcome(
        "Too many files to list them all; the folder itself holds:\n"
        + "\n".join(_summary(root, child) for child in children[:_LISTED])
    )


def glob(root: Path, arguments: Json) -> Outcome:
    """Files whose path matches a pattern."""
    pattern = arguments["pattern"].removeprefix("./")
    full = pattern if "/" in pattern else f"**/{pattern}"
    paths = sorted(path.relative_to(root).as_posix() for path in _walk(root))
    found = list(itertools.islice((path for path in paths if PurePosixPath(path).full_match(full)), _LISTED + 1))
    more = ["[more files match; narrow the pattern]"] if len(found) > _LISTED else []
    return Outcome("\n".join([*found[:_LISTED], *more]) or "[no file matches]")


def _existing_file(root: Path, text: str) -> Path:
    path = locate(root, text)
    if path.is_file():
        return path
    if path.is_dir():
        raise ToolRefused(f"{text} is a folder; use list_files")
    siblings = [sibling.name for sibling in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, n=3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise ToolRefused(f"there is no file {text}{hint}")


def _write(path: Path, content: bytes) -> bool:
    """Write a file in place, keeping its mode; whether it existed."""
    existed = path.exists()
    if existed and not path.is_file():
        raise ToolRefused(f"{path.name} is not a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ToolRefused(f"cannot write {path.name}: {error.strerror}") from error
    return existed


def _walk(folder: Path) -> Iterator[Path]:
    """Files, without the folders that are not saved; links are not followed."""
    for name, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - EXCLUDED_NAMES)
        yield from (Path(name) / file for file in sorted(files))


def _summary(root: Path, child: Path) -> str:
    name = child.relative_to(root).as_posix()
    if not child.is_dir():
        return f"{name}  {_size(child)}"
    return f"{name}/  (not saved)" if child.name in EXCLUDED_NAMES else f"{name}/  {sum(1 for _ in _walk(child))} files"


def _size(path: Path) -> str:
    size = path.lstat().st_size
    return f"{size} B" if size < 1024 else f"{size / 1024:.1f} KB" if size < 1024 * 1024 else f"{size / 2**20:.1f} MB"


def _has_line(path: Path, number: int) -> bool:
    with path.open("rb") as file:
        return next(itertools.islice(file, number - 1, None), None) is not None


def _short_diff(before: str, after: str) -> str:
    lines = list(
        itertools.islice(
            difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2),
            2,
            _DIFF_LINES + 3,
        )
    )
    return "\n".join(lines[:_DIFF_LINES] + (["[…]"] if len(lines) > _DIFF_LINES else []))
