"""Password hashes: scrypt with a salt of their own."""

import hashlib
import hmac
import os

_COST = {"n": 2**12, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    """A salted hash, as text to be stored."""
    salt = os.urandom(16)
    return f"{salt.hex()}:{_digest(password, salt).hex()}"


def matches(password: str, stored: str) -> bool:
    """Whether the password is the one that was hashed; takes the same time either way."""
    salt, _, digest = stored.partition(":")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
