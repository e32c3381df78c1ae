"""Execution environments forked from processes that have imported their package's libraries already."""

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from devstack.aws.children import RUNNER
from devstack.aws.errors import DidNotStart
from devstack.aws.functions.forked import Forked
from devstack.aws.functions.libraries import SWITCHES
from devstack.aws.functions.model import INTERPRETER, LogSink
from discord_agent.declaration import Package

_SCRIPT: Final = Path(__file__).with_name("template_main.py")
_LARGEST_PACKET: Final = 1 << 16
_TRIES: Final = 2


class _Stopped(DidNotStart):
    """Nothing is started any more."""


class Template:
    """One process with a package's libraries; ``on_end`` is called once when it is gone."""

    def __init__(
        self,
        package: Package,
        libraries: Sequence[str],
        folder: Path,
        log: LogSink,
        on_end: Callable[["Template"], None],
    ) -> None:
        self.package = package
        self.was_ready = False
        self.last_lines: deque[str] = deque(maxlen=20)
        self._name = f"template-{package}"
        self._log = log
        self._on_end = on_end
        self._settled = threading.Event()
        self._lock = threading.Lock()
        self._tickets = itertools.count()
        self._forked: dict[int, Forked] = {}
        self._gone = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                # The same flags as for an environment's own interpreter: a copy is to be like one.
                [sys.executable, "-P", "-s", str(_SCRIPT), str(theirs.fileno()), str(RUNNER), *libraries],
                env={"PATH": os.defpath, "HOME": str(folder), **INTERPRETER, **SWITCHES},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )
        self._pumping = threading.Thread(target=self._pump, name=self._name, daemon=True)
        self._reading = threading.Thread(target=self._read, name=self._name, daemon=True)
        self._pumping.start()
        self._reading.start()

    @property
    def gone(self) -> bool:
        """Whether the process has ended."""
        return self._gone

    def await_settled(self) -> None:
        """Wait until it can be copied, or has ended."""
        self._settled.wait()

    def fork(self, folder: Path, variables: Mapping[str, str], arguments: Sequence[str]) -> Forked | None:
        """Fork an environment as soon as the libraries are there; None when the template is gone."""
        self.await_settled()
        ticket = next(self._tickets)
        output, theirs = os.pipe()
        watched, lifeline = os.pipe()
        forked = Forked(output, lifeline, lambda: self._order(["kill", ticket]))
        try:
            with self._lock:
                if not self._gone:
                    self._forked[ticket] = forked
            self._order(["fork", ticket, str(folder), dict(variables), list(arguments)], [theirs, watched])
        except BaseException:
            forked.lost()
            raise
        finally:
            os.close(theirs)
            os.close(watched)
        if self._gone:
            forked.lost()
        return forked if forked.await_birth() else None

    def stop(self) -> None:
        """End it, and with it what it has forked."""
        self._process.kill()
        self._reading.join()
        self._pumping.join()

    def _order(self, order: list[object], descriptors: Iterable[int] = ()) -> None:
        with self._lock:
            if self._gone:
                return
            # A template that is just ending is noticed by the reader, which tells everybody.
            with contextlib.suppress(ConnectionError):
                socket.send_fds(self._control, [json.dumps(order).encode()], list(descriptors))

    def _read(self) -> None:
        with contextlib.suppress(ConnectionError):
            while packet := self._control.recv(_LARGEST_PACKET):
                self._hear(json.loads(packet))
        self._process.wait()
        with self._lock:
            self._gone = True
            self._control.close()
            orphans = list(self._forked.values())
            self._forked.clear()
        for forked in orphans:
            forked.lost()
        self._settled.set()
        self._on_end(self)

    def _hear(self, message: list[object]) -> None:
        match message:
            case ["ready"]:
                self.was_ready = True
                self._settled.set()
            case ["born", int(ticket), int(pid)]:
                self._forked[ticket].born(pid)
            case ["ended", int(ticket), int(status)]:
                self._forked[ticket].ended(status)
            case ["released", int(ticket), int(status)]:
                self._forked.pop(ticket).released(status)

    def _pump(self) -> None:
        if self._process.stdout is None:
            raise RuntimeError("a template was started without a pipe for its output")
        with self._process.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip("\n")
                self.last_lines.append(line)
                self._log(self._name, line)


class Templates:
    """A template for each package of ``libraries``, replaced when it dies; they load beside whatever else is done."""

    def __init__(self, libraries: Mapping[Package, Sequence[str]], folder: Path, log: LogSink) -> None:
        self._libraries = libraries
        self._folder = folder
        self._log = log
        self._lock = threading.Lock()
        self._templates: dict[Package, Template] = {}
        self._stopped = False

    def start(self) -> None:
        """Begin to load, one after the other: the rest of the stack starts at the same time."""
        threading.Thread(target=self._load, name="templates", daemon=True).start()

    def launch(self, package: Package, folder: Path, variables: Mapping[str, str], arguments: Sequence[str]) -> Forked:
        """A process that runs the runner with ``arguments``; DidNotStart with what the template said."""
        for _ in range(_TRIES):
            template = self._current(package)
            forked = template.fork(folder, variables, arguments)
            if forked is not None:
                return forked
        said = "\n".join(template.last_lines)
        raise DidNotStart(f"the template of the package {package} does not start; it said:\n{said}")

    def stop(self) -> None:
        """End all of them, and with them what they have forked."""
        with self._lock:
            self._stopped = True
            templates = list(self._templates.values())
        for template in templates:
            template.stop()

    def _load(self) -> None:
        with contextlib.suppress(_Stopped):
            for package in sorted(self._libraries):
                self._current(package).await_settled()

    def _current(self, package: Package) -> Template:
        with self._lock:
            if self._stopped:
                raise _Stopped("the stack is being stopped")
            present = self._templates.get(package)
            if present is None or present.gone:
                libraries = self._libraries[package]
                present = Template(package, libraries, self._folder, self._log, self._replace)
                self._templates[package] = present
            return present

    def _replace(self, gone: Template) -> None:
        # One that never got ready would not get ready now either: whoever needs it tries again and sees why not.
        if gone.was_ready:
            with contextlib.suppress(_Stopped):
                self._current(gone.package)
