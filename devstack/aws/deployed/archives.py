"""The code of deployed functions: fetched from where the emulator says it lies, and unpacked once."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Final

import httpx

from devstack.aws.errors import StackError

_TIMEOUT: Final = 120.0


class Archives:
    """Unpacks under ``folder``; the same code is the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fetched: dict[str, bytes] = {}

    def unpacked(self, *archives: tuple[str, str]) -> Path:
        """The folder with all archives in it, later ones over earlier ones; each is a URL and its SHA-256 in base64."""
        digest = hashlib.sha256("".join(sha for _, sha in archives).encode()).hexdigest()[:16]
        folder = self._folder / digest
        if not folder.exists():
            for url, sha in archives:
                zipfile.ZipFile(io.BytesIO(self._fetch(url, sha))).extractall(folder)
        return folder

    def _fetch(self, url: str, sha: str) -> bytes:
        if sha not in self._fetched:
            content = httpx.get(url, timeout=_TIMEOUT).raise_for_status().content
            if base64.b64encode(hashlib.sha256(content).digest()).decode() != sha:
                raise StackError(f"{url.partition('?')[0]} is not the code that was published: deploy again")
            self._fetched[sha] = content
        return self._fetched[sha]
