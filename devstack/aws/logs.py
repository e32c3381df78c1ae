"""Where the lines of the functions and of the data plane go: a file each, and whoever listens."""

import threading
from pathlib import Path
from typing import TextIO

from devstack.aws.functions.model import LogSink


class Logs:
    """Appends to ``folder/<function>.log``; ``listener`` gets every line too."""

    def __init__(self, folder: Path, listener: LogSink | None) -> None:
        self._folder = folder
        self._listener = listener
        self._lock = threading.Lock()
        self._files: dict[str, TextIO] = {}
        self._closed = False

    def write(self, function: str, line: str) -> None:
        """Keep one line."""
        with self._lock:
            if self._closed:
                return
            file = self._files.get(function)
            if file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                file = self._files[function] = (self._folder / f"{function}.log").open("a", encoding="utf-8")
            file.write(f"{line}\n")
            file.flush()
        if self._listener is not None:
            self._listener(function, line)

    def close(self) -> None:
        """Close the files; later lines are dropped."""
        with self._lock:
            self._closed = True
            for file in self._files.values():
                file.close()
