"""Attachments behind signed addresses that expire, as on Discord's content network."""

import hashlib
import hmac
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from devstack.discord.records import Attachment
from devstack.discord.rules import Rules
from devstack.discord.store import Store

INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Content that a browser may show by itself; everything else is sent as a download, so that no upload can run script."""


@dataclass(frozen=True, slots=True)
class Files:
    """Makes and checks the addresses of attachments."""

    store: Store
    rules: Rules
    now: Callable[[], float]
    base_url: str
    secret: bytes

    def url(self, attachment: Attachment) -> str:
        """An address that works for a day."""
        issued = int(self.now())
        expires = issued + int(self.rules.attachment_life)
        query = f"ex={expires:x}&is={issued:x}&hm={self._sign(attachment.id, expires, issued)}"
        return f"{self.base_url}/attachments/{attachment.parent}/{attachment.id}/{quote(attachment.filename)}?{query}"

    def is_valid(self, identifier: str, query: Mapping[str, str]) -> bool:
        """Whether an address was signed here and has not expired."""
        try:
            expires, issued = int(query["ex"], 16), int(query["is"], 16)
        except (KeyError, ValueError):
            return False
        signature = self._sign(identifier, expires, issued)
        return hmac.compare_digest(signature, query.get("hm", "")) and self.now() < expires

    def _sign(self, identifier: str, expires: int, issued: int) -> str:
        return hmac.new(self.secret, f"{identifier} {expires:x} {issued:x}".encode(), hashlib.sha256).hexdigest()


def clean_filename(name: str) -> str:
    """A file name without folders or odd characters."""
    base = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(character if character.isalnum() or character in "._-" else "_" for character in base)
    return kept.lstrip(".")[:200] or "file"


def content_type_of(name: str, declared: str) -> str:
    """The type a client declared, or what the name suggests."""
    if declared and declared != "application/octet-stream":
        return declared
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
