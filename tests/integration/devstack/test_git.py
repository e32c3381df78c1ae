from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devstack.git import GitFailed, GitServer
from tests.support.git_hosts import git


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    server = GitServer(tmp_path / "repositories")
    server.start()
    yield server
    server.stop()


def repository(folder: Path, branch: str = "main") -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", f"--initial-branch={branch}")
    (folder / "a.txt").write_text("a")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


def test_a_repository_is_cloned_and_pushed_to_by_the_git_program(server: GitServer, tmp_path: Path) -> None:
    url = server.import_folder(repository(tmp_path / "project"))
    git(tmp_path, "clone", "--quiet", url, "clone")
    clone = tmp_path / "clone"
    (clone / "b.txt").write_text("b")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message=second")
    git(clone, "push", "--quiet", "origin", "main")
    git(tmp_path, "clone", "--quiet", url, "again")
    assert git(tmp_path / "again", "log", "--format=%s") == "second\nfirst"


def test_the_branch_a_repository_is_on_is_its_default_branch(server: GitServer, tmp_path: Path) -> None:
    url = server.import_folder(repository(tmp_path / "project", "trunk"))
    assert git(tmp_path, "ls-remote", "--symref", url, "HEAD").startswith("ref: refs/heads/trunk\tHEAD")


def test_a_plain_folder_becomes_a_repository_with_one_commit(server: GitServer, tmp_path: Path) -> None:
    folder = tmp_path / "plain folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "x").write_text("x")
    url = server.import_folder(folder)
    git(tmp_path, "clone", "--quiet", url, "clone")
    assert (tmp_path / "clone" / "sub" / "x").read_text() == "x"
    assert git(tmp_path / "clone", "rev-list", "--count", "main") == "1"
    assert [path.name for path in folder.iterdir()] == ["sub"]


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "rebound.evil.example"}])
def test_a_page_in_a_browser_reads_no_repository(server: GitServer, tmp_path: Path, headers: dict[str, str]) -> None:
    refs = f"{server.import_folder(repository(tmp_path / 'project'))}/info/refs?service=git-upload-pack"
    assert httpx.get(refs).status_code == 200
    assert httpx.get(refs, headers=headers).status_code == 403


def test_what_was_pushed_survives_a_restart_and_another_import(tmp_path: Path) -> None:
    source, data = repository(tmp_path / "project"), tmp_path / "data"
    for number in (1, 2):
        server = GitServer(data)
        server.start()
        url = server.import_folder(source)
        if number == 1:
            git(source, "push", "--quiet", url, "HEAD:refs/heads/pushed")
        assert "refs/heads/pushed" in git(tmp_path, "ls-remote", url)
        server.stop()


def test_folders_of_the_same_name_stay_apart(server: GitServer, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = server.import_folder(repository(tmp_path / "one" / "project"))
    second = server.import_folder(repository(tmp_path / "two" / "project", "trunk"))
    assert first != second


def test_a_missing_folder_is_an_error_and_leaves_nothing(server: GitServer, tmp_path: Path) -> None:
    with pytest.raises(GitFailed):
        server.import_folder(tmp_path / "nothing")
    assert list(server.folder.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "/none.git/info/refs?service=git-upload-pack",
        "/..%2f..%2fetc/info/refs?service=git-upload-pack",
        "/.import-x/info/refs?service=git-upload-pack",
        "/{repository}/info/refs?service=git-shell",
        "/{repository}/info/refs",
        "/{repository}/config",
    ],
)
def test_nothing_but_git_of_existing_repositories_is_served(server: GitServer, tmp_path: Path, path: str) -> None:
    repository_path = server.import_folder(repository(tmp_path / "project")).removeprefix(server.url).strip("/")
    answer = httpx.get(server.url + path.format(repository=repository_path))
    assert answer.status_code in {404, 405}
