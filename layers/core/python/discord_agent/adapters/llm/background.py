"""An event loop in a thread of its own, so that blocking steps can make calls that are cancelled halfway."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any


class BackgroundLoop:
    """Runs coroutines for other threads; it starts with the first one and ends with ``close``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._runner: asyncio.Runner | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    def submit[T](self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``work``; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop())

    def close(self) -> None:
        """Cancel what still runs and end the thread; a later ``submit`` starts a new one."""
        with self._lock:
            if self._thread and self._runner and self._stop:
                self._runner.get_loop().call_soon_threadsafe(self._stop.set)
                self._thread.join()
            self._thread = self._runner = self._stop = None

    def _loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._runner is None:
                self._runner, self._stop = asyncio.Runner(loop_factory=asyncio.new_event_loop), asyncio.Event()
                self._runner.get_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._runner, self._stop), name=self._name, daemon=True
                )
                self._thread.start()
            return self._runner.get_loop()


def _run(runner: asyncio.Runner, stop: asyncio.Event) -> None:
    with runner:
        runner.run(_wait(stop))


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
