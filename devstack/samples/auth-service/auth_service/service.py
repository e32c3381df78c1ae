"""Register, sign in, sign out."""

from auth_service.errors import NameTaken, WrongCredentials
from auth_service.passwords import hash_password, matches
from auth_service.tokens import Tokens


class AuthService:
    """Knows people by name and password."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._hashes: dict[str, str] = {}

    def register(self, name: str, password: str) -> None:
        """Remember somebody; NameTaken if the name is in use."""
        if name in self._hashes:
            raise NameTaken(name)
        self._hashes[name] = hash_password(password)

    def sign_in(self, name: str, password: str) -> str:
        """A token for somebody who knows the password; WrongCredentials otherwise."""
        stored = self._hashes.get(name)
        if stored is None or not matches(password, stored):
            raise WrongCredentials("name or password is wrong")
        return self._tokens.issue(name)

    def who_is(self, token: str) -> str:
        """The name behind a token; InvalidToken if there is none."""
        return self._tokens.owner(token)

    def sign_out(self, token: str) -> None:
        """Make a token worthless."""
        self._tokens.revoke(token)
