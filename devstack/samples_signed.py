"""Signing of sample events: a signature is fresh for five minutes only, so no file can hold one."""

import json
from datetime import datetime
from typing import Any, Final

from nacl.signing import SigningKey

UNSIGNED: Final = "_unsigned"
"""The key under which a sample of an HTTP event holds its payload, as an object."""


def sign_sample(event: dict[str, Any], key: SigningKey, now: datetime) -> dict[str, Any]:
    """The event with its payload as the body and Discord's two headers; events without a payload stay as they are."""
    if UNSIGNED not in event:
        return event
    body = json.dumps(event[UNSIGNED], separators=(",", ":"))
    timestamp = str(int(now.timestamp()))
    signature = key.sign(f"{timestamp}{body}".encode()).signature.hex()
    headers = event.get("headers", {}) | {"x-signature-ed25519": signature, "x-signature-timestamp": timestamp}
    rest = {name: value for name, value in event.items() if name != UNSIGNED}
    return rest | {"headers": headers, "body": body, "isBase64Encoded": False}
