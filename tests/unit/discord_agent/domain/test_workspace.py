import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.workspace import is_excluded, link_stays_inside, looks_secret, safe_path


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from(["..", ".", "", "a", ".git", "b c", "\\"]), max_size=6).map("/".join)
)
def test_a_safe_path_never_leaves_the_workspace(text: str) -> None:
    try:
        path = safe_path(text)
    except InvalidInput:
        return
    parts = path.split("/")
    assert path
    assert not path.startswith("/")
    assert {"", ".", "..", ".git"}.isdisjoint(parts)
    assert safe_path(path) == path


@pytest.mark.parametrize(
    ("path", "target"),
    [("link", "file"), ("a/link", "../file"), ("a/b/link", "../../c/d"), ("link", "a/b"), ("a/link", ".")],
)
def test_a_link_within_the_workspace_is_kept(path: str, target: str) -> None:
    assert link_stays_inside(path, target)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("link", "/etc/passwd"),
        ("link", "../outside"),
        ("a/link", "../../outside"),
        ("a/link", "d/../../x"),
        ("link", ".git/config"),
        ("link", ""),
        ("link", "a\nb"),
    ],
)
def test_a_link_that_may_leave_the_workspace_is_refused(path: str, target: str) -> None:
    assert not link_stays_inside(path, target)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "a/.env.local",
        "key.pem",
        "a/id_rsa",
        ".aws/config",
        "x/.ssh/known_hosts",
        ".kube/config",
        ".ENV",
        "a/Server.KEY",
    ],
)
def test_files_named_like_credentials_look_secret(path: str) -> None:
    assert looks_secret(path)


@pytest.mark.parametrize("path", ["env.py", ".env.example", "keys.py", "docs/ssh.md", "aws/config", "monkey"])
def test_other_files_do_not_look_secret(path: str) -> None:
    assert not looks_secret(path)


def test_caches_and_dependencies_are_excluded_wherever_they_lie() -> None:
    assert is_excluded("web/node_modules/x/index.js")
    assert is_excluded("__pycache__")
    assert not is_excluded("src/node_modules_list.py")
