import pytest

from discord_agent.adapters.git.remote import Login, RemoteOrigin, logins
from discord_agent.domain.errors import InvalidSettings, RepositoryRefused


def test_logins_are_read_by_host() -> None:
    secret = '{"github.com": "token", "git.example.org": {"username": "bot", "password": "pw"}}'
    assert logins(secret) == {
        "github.com": Login("x-access-token", "token"),
        "git.example.org": Login("bot", "pw"),
    }


@pytest.mark.parametrize("secret", ["", "hunter2", '["a"]', '{"host": {"user": "x"}}', '{"host": 1}'])
def test_malformed_credentials_are_reported_without_being_shown(secret: str) -> None:
    with pytest.raises(InvalidSettings) as fault:
        logins(secret)
    assert "hunter2" not in str(fault.value)


def test_a_login_does_not_show_its_password() -> None:
    assert "pw" not in repr(Login("bot", "pw"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "/srv/repository",
        "ssh://git@host/x",
        "git@host:x",
        "ext::sh -c id",
        "https://user:secret@host/x",
        "http:///x",
        "",
    ],
)
def test_only_web_addresses_without_credentials_are_repositories(url: str) -> None:
    with pytest.raises(RepositoryRefused):
        RemoteOrigin(url, lambda: "{}")


def test_credentials_go_only_to_their_host_and_never_over_plain_http() -> None:
    secret = '{"example.org": "token", "127.0.0.1": "local"}'
    assert RemoteOrigin("https://example.org/x", lambda: secret)._client._password == "token"
    assert RemoteOrigin("http://127.0.0.1:1/x", lambda: secret)._client._password == "local"
    assert RemoteOrigin("http://example.org/x", lambda: secret)._client._password is None
    assert RemoteOrigin("https://other.org/x", lambda: secret)._client._password is None
