import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.file_tree import TREE_LIMIT, size, tree
from discord_agent.domain.workspace import FILE_MODE, FileEntry, Manifest

NAMES = st.text("abcXYZ` .-", min_size=1, max_size=12).filter(lambda name: name not in {".", ".."})
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def _manifest(**sizes: int) -> Manifest:
    return Manifest(tuple(_entry(path, size) for path, size in sizes.items()))


def _entry(path: str, number: int) -> FileEntry:
    return FileEntry(path, FILE_MODE, number, "0" * 64, "pack", 0, 1)


def test_folders_come_first_then_files_both_by_name() -> None:
    files = {"readme.md": 12, "src/b.py": 1536, "src/a.py": 3, "Makefile": 0, "docs/deep/x.md": 5 * 1024 * 1024}
    assert tree(_manifest(**files)) == "\n".join(
        (
            "├── docs/",
            "│   └── deep/",
            "│       └── x.md (5.0 MB)",
            "├── src/",
            "│   ├── a.py (3 B)",
            "│   └── b.py (1.5 KB)",
            "├── Makefile (0 B)",
            "└── readme.md (12 B)",
        )
    )


def test_no_files_are_no_tree() -> None:
    assert tree(Manifest()) == ""


def test_what_does_not_fit_is_counted() -> None:
    many = _manifest(**{f"file-{number:04}.txt": number for number in range(500)})
    *shown, last = tree(many).split("\n")
    assert last == f"… and {500 - len(shown)} more lines"


@given(st.lists(PATHS, max_size=200, unique=True))
def test_a_tree_always_fits_and_cannot_leave_its_code_block(paths: list[str]) -> None:
    drawn = tree(Manifest(tuple(_entry(path, 1) for path in paths)))
    assert len(drawn) <= TREE_LIMIT
    assert "```" not in drawn


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (1024 * 1024 - 1, "1.0 MB"),
        (int(2.25 * 1024**2), "2.2 MB"),
        (3 * 1024**3, "3.0 GB"),
        (5000 * 1024**3, "5000.0 GB"),
    ],
)
def test_sizes_have_one_decimal_from_a_kilobyte_on(number: int, told: str) -> None:
    assert size(number) == told
