"""Where fakes can be interrupted: before and after everything they do, as a process can die between any two calls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Death(BaseException):
    """The end of a process: no handler for errors may survive it."""


type Watcher = Callable[[str], object]


class Effects:
    """The calls the fakes of one world have taken, by name; ``watcher`` is told of each before and after it happens."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.watcher: Watcher | None = None

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Surround one effect; what fails is not told of as done."""
        self.names.append(name)
        self._tell(f"before {name}")
        yield
        self._tell(f"after {name}")

    @contextmanager
    def watch(self, watcher: Watcher | None) -> Iterator[None]:
        """Tell ``watcher``, and nobody else, of every moment inside the block."""
        before, self.watcher = self.watcher, watcher
        try:
            yield
        finally:
            self.watcher = before

    def _tell(self, moment: str) -> None:
        if self.watcher is not None:
            self.watcher(moment)


class Moments:
    """Counts moments; at moment ``at`` (from 0) it calls ``act`` once."""

    def __init__(self, at: int | None = None, act: Callable[[str], None] | None = None) -> None:
        self.seen: list[str] = []
        self._at = at
        self._act = act

    def __call__(self, moment: str) -> None:
        number = len(self.seen)
        self.seen.append(moment)
        if number == self._at and self._act is not None:
            self._act(moment)


def die(moment: str) -> None:
    """End the process here."""
    raise Death(moment)
