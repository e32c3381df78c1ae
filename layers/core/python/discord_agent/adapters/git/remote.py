"""A git host, spoken to over smart HTTP."""

import ipaddress
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from dulwich.client import FetchPackResult, HttpGitClient, HTTPUnauthorized, default_user_agent_string
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository, SendPackError
from dulwich.objects import ZERO_SHA, ObjectID
from dulwich.pack import UnpackedObject
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo
from msgspec import Struct

from discord_agent.adapters.git.names import head_ref
from discord_agent.adapters.git.origins import Change, Moved, Opened
from discord_agent.domain.errors import InvalidSettings, RepositoryRefused, RepositoryUnavailable

_TIMEOUT_SECONDS: Final = 60.0
_TOKEN_USER: Final = "x-access-token"
_REFUSALS: Final = ("denied", "declined", "protected", "prohibited", "not allowed", "permission")
"""Words of git hosts that say no for good; whatever else fails a push is a ref that moved."""


class Login(Struct, frozen=True):
    """A user name and a password or token for one host."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.username!r})"


def logins(secret: str) -> Mapping[str, Login]:
    """Logins by host from a JSON object: host → token, or → {"username", "password"}; InvalidSettings otherwise."""
    try:
        document: Any = json.loads(secret)
        return {host: _login(value) for host, value in document.items()}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        # The text itself is a secret and stays out of the message.
        raise InvalidSettings('the git credentials must be JSON such as {"github.com": "a token"}') from error


class _Pool(urllib3.PoolManager):
    """Connections that are all closed in the end: dulwich leaves those of refused requests open."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._responses: list[urllib3.BaseHTTPResponse] = []

    def urlopen(self, method: str, url: str, redirect: bool = True, **settings: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]  # noqa: FBT001, FBT002 - urllib3's signature
        """Send a request and remember its response."""
        response = super().urlopen(method, url, redirect, **settings)
        self._responses.append(response)
        return response

    def close(self) -> None:
        """Close every response and connection."""
        for response in self._responses:
            response.close()
        self._responses.clear()
        self.clear()


class RemoteOrigin:
    """The repository at ``url``, reached with the login of its host if there is one."""

    def __init__(self, url: str, secret: Callable[[], str]) -> None:
        host, secure = _checked(url)
        login = logins(secret()).get(host) if secure else None
        self._pool = _Pool(timeout=_TIMEOUT_SECONDS, headers={"User-Agent": default_user_agent_string()})
        self._client = HttpGitClient(
            url,
            username=login.username if login else None,
            password=login.password if login else None,
            pool_manager=self._pool,
            # There is nothing yet that a thin pack could build on, and a whole one can be a bundle as it is.
            thin_packs=False,
            quiet=True,
        )

    @contextmanager
    def opened(self, wanted: Iterable[ObjectID], branch: str = "", *, history: bool = True) -> Iterator[Opened]:
        """A fresh repository with the default branch, ``branch`` and its numbered names, and the ``wanted`` commits."""
        also = set(wanted)
        with tempfile.TemporaryDirectory() as folder, Repo.init_bare(folder) as repo:
            with self._connected():
                result = self._fetch(repo, also, branch, history=history)
            refs = {ref: sha for ref, sha in result.refs.items() if sha is not None}
            yield Opened(repo, refs, _default_branch(result, refs))

    def _fetch(self, repo: Repo, also: set[ObjectID], branch: str, *, history: bool) -> FetchPackResult:
        named = head_ref(branch)

        def determine_wants(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
            tips = {refs[HEADREF]} if HEADREF in refs else set(refs.values())
            known = also & set(refs.values())
            branches = {sha for ref, sha in refs.items() if ref == named or ref.startswith(named + b"-")}
            return list((tips | known if history else also) | (branches if branch else set()))

        if history:
            return self._client.fetch(b"", repo, determine_wants=determine_wants)
        try:
            return self._client.fetch(b"", repo, determine_wants=determine_wants, depth=1)
        except (GitProtocolError, HangupException):
            # A server of an older protocol gives only what a ref names: take the whole history instead.
            return self._fetch(repo, also, branch, history=True)

    def push(self, opened: Opened, changes: Iterable[Change]) -> None:
        """Move refs, each only from its old value; Moved if one has another value."""
        wanted = list(changes)

        def update_refs(refs: Mapping[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            # The server compares once more: the old values that it just told are sent with the push.
            for change in wanted:
                if refs.get(change.ref) != change.old:
                    raise Moved(f"{_short(change.ref)} has moved")
            return {change.ref: change.new or ZERO_SHA for change in wanted}

        def pack_data(
            have: AbstractSet[ObjectID],
            want: AbstractSet[ObjectID],
            *,
            ofs_delta: bool = False,
            progress: Callable[[bytes], None] | None = None,  # noqa: ARG001 - dulwich offers it, nobody watches
        ) -> tuple[int, Iterator[UnpackedObject]]:
            return opened.repo.generate_pack_data(set(have), set(want), ofs_delta=ofs_delta)

        with self._connected():
            result = self._client.send_pack(b"", update_refs, pack_data)
        for ref, fault in (result.ref_status or {}).items():
            if fault is not None:
                refused = any(word in fault.lower() for word in _REFUSALS)
                raise (RepositoryRefused if refused else Moved)(f"{_short(ref)} was not updated: {fault:.200}")

    @contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            with _translated():
                yield
        finally:
            self._pool.close()


def _login(value: Any) -> Login:
    if isinstance(value, str):
        return Login(_TOKEN_USER, value)
    return Login(str(value["username"]), str(value["password"]))


def _checked(url: str) -> tuple[str, bool]:
    """The host of a URL, and whether secrets may be sent to it; RepositoryRefused for what is no web address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = parts.scheme in {"http", "https"} and bool(host)
    if not plain or parts.username is not None or parts.query or parts.fragment:
        raise RepositoryRefused("a repository is given by its http(s) address, without credentials in it")
    return host, parts.scheme == "https" or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _default_branch(result: FetchPackResult, refs: Mapping[Ref, ObjectID]) -> Ref:
    named = result.symrefs.get(HEADREF)
    candidates = [named, Ref(b"refs/heads/main"), Ref(b"refs/heads/master")]
    found = next((ref for ref in candidates if ref is not None and ref in refs), None)
    if found is None:
        raise RepositoryRefused("the repository has no default branch yet; push a first commit to it")
    return found


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (HTTPUnauthorized, NotGitRepository) as error:
        raise RepositoryRefused("the repository does not exist, or the bot has no access to it") from error
    except SendPackError as error:
        raise RepositoryRefused(f"the git host rejects the push: {error!s:.200}") from error
    except HangupException as error:
        raise RepositoryUnavailable("the git host closed the connection") from error
    except GitProtocolError as error:
        forbidden = "resp 403" in str(error)
        kind = RepositoryRefused if forbidden else RepositoryUnavailable
        raise kind(f"the git host answered: {error!s:.200}") from error


def _short(ref: bytes) -> str:
    return ref.decode("utf-8", "replace").removeprefix("refs/heads/")
