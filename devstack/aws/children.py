"""Child processes that never outlive this one, not even after kill -9."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

RUNNER: Final = Path(__file__).with_name("die_with_parent.py")


class Child:
    """A Python module running as a process group of its own; its output arrives on ``output``.

    A ``bare`` one finds the standard library and what its PYTHONPATH names, and nothing that is installed here.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        ends_with: signal.Signals = signal.SIGKILL,
        descriptors: Sequence[int] = (),
        bare: bool = False,
    ) -> None:
        read_end, write_end = os.pipe()
        self._lifeline: int | None = write_end
        self._releasing = threading.Lock()
        try:
            self.process = subprocess.Popen(
                # Safe path: the runner's own folder must not shadow anybody's imports.
                [
                    sys.executable,
                    "-P",
                    "-S" if bare else "-s",
                    str(RUNNER),
                    str(read_end),
                    ends_with.name,
                    module,
                    *arguments,
                ],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(read_end, *descriptors),
            )
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        if self.process.stdout is None:
            raise RuntimeError("a child was started without a pipe for its output")
        self.output = self.process.stdout

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal's number; None while it runs."""
        return self.process.poll()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def wait(self) -> int:
        """Wait for the end; the exit status."""
        return self.process.wait()

    def kill(self) -> None:
        """End the whole group at once."""
        # The group may be gone by itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._release()

    def terminate(self, seconds: float) -> None:
        """Ask it to end, and end it when it has not after ``seconds``."""
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._release()

    def _release(self) -> None:
        self.process.wait()
        with self._releasing:
            lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            os.close(lifeline)
