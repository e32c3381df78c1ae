"""The folder of a stack's state, used by one stack at a time."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from devstack.aws.errors import DataInUse

_PATIENCE: Final = 10.0
"""Seconds; the data plane of a stack that was killed still saves itself."""


class DataFolder:
    """Locked while open; the lock is inherited by the data plane's process and ends with the last of the two."""

    def __init__(self, path: Path, *, patience: float = _PATIENCE) -> None:
        self.path = path
        self._patience = patience
        self.lock = -1

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > until:
                    self._close()
                    raise DataInUse(
                        f"another stack works on {self.path}: stop it, or give this one another data folder"
                    ) from error
                time.sleep(0.05)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        os.close(self.lock)
        self.lock = -1
