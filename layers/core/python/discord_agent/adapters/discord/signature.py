"""Whether an HTTP request really comes from Discord: Ed25519 over the timestamp and the raw body."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from discord_agent.domain.errors import InvalidSettings

SIGNATURE_HEADER: Final = "X-Signature-Ed25519"
TIMESTAMP_HEADER: Final = "X-Signature-Timestamp"
FRESHNESS: Final = timedelta(minutes=5)

_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_SIGNATURE: Final = re.compile(r"[0-9a-fA-F]{128}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


class SignatureCheck:
    """The check for one application; its public key in hex. InvalidSettings when that is none."""

    def __init__(self, public_key: str) -> None:
        if not _KEY.fullmatch(public_key):
            raise InvalidSettings("DISCORD_PUBLIC_KEY: needs the 64 hex digits of the application's public key")
        self._key = VerifyKey(bytes.fromhex(public_key))

    def __call__(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether the body is signed and fresh; anything missing or malformed is no signature, never an error."""
        given = {name.lower(): value for name, value in headers.items()}
        signature = given.get(SIGNATURE_HEADER.lower(), "")
        timestamp = given.get(TIMESTAMP_HEADER.lower(), "")
        well_formed = _SIGNATURE.fullmatch(signature) and _TIMESTAMP.fullmatch(timestamp)
        fresh = well_formed and abs(now.timestamp() - int(timestamp)) <= FRESHNESS.total_seconds()
        return bool(fresh) and self._signed(timestamp.encode() + body, bytes.fromhex(signature))

    def _signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(message, signature)
        except BadSignatureError:
            return False
        return True
