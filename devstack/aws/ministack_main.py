"""The data plane's process: ministack on an inherited socket, saving itself while it changes.

Arguments: the listening socket's descriptor, the seconds between two saves, the file with the policies in force, and
the folder for the grants that are used ("" for none). Stock ministack saves only when it
stops in good order. Saves run inside its event loop, so a snapshot is never taken in the middle of a request.
"""

import asyncio
import hashlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack_app
from ministack.core import persistence

from devstack.aws.access import lent
from devstack.aws.access.asgi import guarded
from devstack.aws.access.door import Door
from devstack.aws.access.handing import Handed
from devstack.aws.access.used import recorder
from devstack.aws.mending.all import mend
from devstack.callers import Application, Receive, Scope, Send, programs_only

_SERVING_PER_SAVING = 20
_LONGER_THAN_CLIENTS_KEEP_ALIVE = 3600
"""Seconds. A server that closes first may close upon a request on its way, which is then sent again and met twice."""
_LOG = logging.getLogger("autosave")


class Snapshots:
    """Writes each service's state that changed since it was last written."""

    def __init__(self) -> None:
        self._written: dict[str, bytes] = {}

    def save(self) -> None:
        """Write what changed, each file whole or not at all."""
        folder = Path(persistence.STATE_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for service, get_state in ministack_app._build_persistence_save_dict().items():  # noqa: SLF001 (no public way)
            state = get_state()
            if state is not None:
                self._write(folder / f"{service}.json", service, state)

    def _write(self, path: Path, service: str, state: object) -> None:
        version = persistence._state_format_version(service)  # noqa: SLF001 (no public way)
        document = json.dumps(
            {"__ministack_format__": version, "payload": state},
            default=persistence._json_default,  # noqa: SLF001 (no public way)
        ).encode()
        digest = hashlib.blake2b(document).digest()
        if self._written.get(service) == digest:
            return
        draft = path.with_suffix(".draft")
        draft.write_bytes(document)
        draft.replace(path)
        self._written[service] = digest


class Saved:
    """ministack's application, with a save after the requests of every interval."""

    def __init__(self, seconds: float, door: Callable[[], Door | None]) -> None:
        self._seconds = seconds
        self._snapshots = Snapshots()
        self._changed = False
        self._saving: asyncio.Task[None] | None = None
        # ministack itself allows every origin everything.
        self._application: Application = programs_only(guarded(ministack_app.app, door))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; remember that something may have changed."""
        if scope["type"] == "http":
            self._changed = True
            if self._saving is None:
                self._saving = asyncio.create_task(self._save_for_ever())
        await self._application(scope, receive, send)

    async def _save_for_ever(self) -> None:
        pause = self._seconds
        while True:
            await asyncio.sleep(pause)
            if self._changed:
                self._changed = False
                started = time.monotonic()
                self._save()
                # Nothing is served while it saves: a large state is saved less often.
                pause = max(self._seconds, _SERVING_PER_SAVING * (time.monotonic() - started))

    def save_and_exit(self) -> None:
        """Save, and leave without waiting for clients: a long poll would keep the server for its whole time."""
        saved = self._save()
        sys.stdout.flush()
        os._exit(0 if saved else 1)

    def _save(self) -> bool:
        try:
            self._snapshots.save()
        except (OSError, TypeError, ValueError, RuntimeError):
            # A full disk or a state in motion: said, and tried again with the next interval.
            self._changed = True
            _LOG.exception("the state could not be saved")
            return False
        return True


async def _serve(descriptor: int, seconds: float, door: Callable[[], Door | None]) -> None:
    application = Saved(seconds, door)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, application.save_and_exit)
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = _LONGER_THAN_CLIENTS_KEEP_ALIVE
    config.loglevel = "WARNING"
    await serve(application, config, shutdown_trigger=asyncio.Event().wait)  # type: ignore[arg-type] # ASGI scopes are dicts here


def main() -> None:
    """Serve until told to stop."""
    mend()
    descriptor, seconds, policies, used = sys.argv[1:]
    record = recorder(used)
    handed = Handed(Path(policies), lambda found, place: Door(found, place, record=record, sessions=lent.session))
    asyncio.run(_serve(int(descriptor), float(seconds), handed.door))


if __name__ == "__main__":
    main()
