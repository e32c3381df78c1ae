"""What can go wrong when somebody signs in."""


class AuthError(Exception):
    """Base of all errors of this package."""


class WrongCredentials(AuthError):
    """The name is unknown or the password does not match; which of the two is not told."""


class NameTaken(AuthError):
    """Somebody registered this name before."""


class InvalidToken(AuthError):
    """The token is unknown, forged or expired."""
