from pathlib import Path

import pytest

from discord_agent.sandbox.outcome import ToolRefused
from discord_agent.sandbox.paths import locate, locate_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "workspace"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("a")
    (root / "inside").symlink_to("src")
    (root / "outside").symlink_to(tmp_path)
    (root / "absolute").symlink_to("/etc/passwd")
    (root / ".git").mkdir()
    (root / "repository").symlink_to(".git")
    return root


@pytest.mark.parametrize("text", ["src/a.py", "./src/a.py", "inside/a.py"])
def test_paths_inside_are_found_through_links_too(root: Path, text: str) -> None:
    assert locate(root, text) == root / "src" / "a.py"


def test_an_absolute_path_into_the_workspace_is_understood(root: Path) -> None:
    assert locate(root, f"{root}/src/a.py") == root / "src" / "a.py"


@pytest.mark.parametrize(
    "text",
    [
        "../secret",
        "src/../../secret",
        "/etc/passwd",
        "outside/secret",
        "outside",
        "absolute",
        ".git/config",
        "repository/config",
        "a\0b",
        "",
    ],
)
def test_paths_that_leave_the_workspace_are_refused(root: Path, text: str) -> None:
    with pytest.raises(ToolRefused):
        locate(root, text)


@pytest.mark.parametrize("text", ["", ".", "./", "/", " . "])
def test_the_workspace_itself_is_a_folder(root: Path, text: str) -> None:
    assert locate_folder(root, text) == root


def test_a_folder_outside_is_refused(root: Path) -> None:
    with pytest.raises(ToolRefused):
        locate_folder(root, "../")
