"""The emulator that deployments are tried against: ministack, mended, with nothing in it."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from devstack.aws.data_plane import DataPlane
from devstack.aws.names import REGION, Endpoints

_NEVER = 1e6
_LOG = logging.getLogger("emulator")


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    url: str

    def environment(self) -> dict[str, str]:
        """What points programs at it."""
        return Endpoints(self.url, self.url, self.url).environment()

    def client(self, service: str, account: str = "123456789012") -> Any:
        """A boto3 client of it, in an account."""
        return boto3.client(  # type: ignore[call-overload] # the service is known at run time only
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=account,
            aws_secret_access_key="embedded",
        )


@contextmanager
def emulator() -> Iterator[Emulator]:
    """A fresh emulator, which ends with the context."""
    with tempfile.TemporaryDirectory() as folder:
        lock = os.open(Path(folder) / "lock", os.O_CREAT | os.O_RDWR)
        plane = DataPlane(Path(folder) / "state", port=0, autosave_seconds=_NEVER, log=_say)
        plane.start(lock=lock)
        try:
            plane.await_ready()
            yield Emulator(plane.url)
        finally:
            plane.stop()
            os.close(lock)


def _say(_: str, line: str) -> None:
    """A failed test shows what the emulator said meanwhile."""
    _LOG.warning(line)
