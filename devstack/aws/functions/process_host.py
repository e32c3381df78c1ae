"""Runs functions in processes of their own, kept warm between calls."""

import signal
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devstack.aws.children import Child
from devstack.aws.functions.environment import ExecutionEnvironment, Process
from devstack.aws.functions.model import Call, FunctionSpec, Invocation, LogSink
from devstack.aws.functions.templates import Templates

_LEAST_REAP_SECONDS: Final = 0.05
_RUNTIME: Final = "awslambdaric"

type _Pool = tuple[str, str | None]


class ProcessHost:
    """Environments are pooled by function and tenant; idle ones end after ``idle_seconds``.

    They are forked from ``templates``; without them each is a new interpreter.
    """

    def __init__(self, folder: Path, *, idle_seconds: float, log: LogSink, templates: Templates | None) -> None:
        self._templates = templates
        self._folder = folder
        self._idle_seconds = idle_seconds
        self._log = log
        self._lock = threading.Lock()
        self._idle: dict[_Pool, list[ExecutionEnvironment]] = {}
        self._busy: set[ExecutionEnvironment] = set()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to reap idle environments."""
        threading.Thread(target=self._reap, name="reaper", daemon=True).start()

    def run(self, spec: FunctionSpec, call: Call) -> Invocation:
        """Run the call in a warm environment, or in a new one."""
        environment = self._take(spec, call.tenant)
        try:
            return environment.run(call)
        finally:
            self._give_back(environment)

    def kill(self, name: str) -> int:
        """SIGKILL the function's environments, busy ones included."""
        with self._lock:
            mine = [each for each in self._all() if each.spec.key == name]
        for environment in mine:
            environment.crash()
        return len(mine)

    def stop(self) -> None:
        """End every environment."""
        self._stopped.set()
        with self._lock:
            everything = self._all()
            self._idle.clear()
        for environment in everything:
            environment.kill()

    def _all(self) -> list[ExecutionEnvironment]:
        return [each for pool in self._idle.values() for each in pool] + list(self._busy)

    def _take(self, spec: FunctionSpec, tenant: str | None) -> ExecutionEnvironment:
        dead: list[ExecutionEnvironment] = []
        found: ExecutionEnvironment | None = None
        with self._lock:
            pool = self._idle.setdefault((spec.key, tenant), [])
            while pool and found is None:
                candidate = pool.pop()
                if candidate.usable:
                    found = candidate
                else:
                    dead.append(candidate)
            if found is not None:
                self._busy.add(found)
        for environment in dead:
            environment.kill()
        return found if found is not None else self._make(spec, tenant)

    def _make(self, spec: FunctionSpec, tenant: str | None) -> ExecutionEnvironment:
        folder = self._folder / f"{spec.key}-{uuid.uuid4().hex}"
        environment = ExecutionEnvironment(spec, tenant, folder, self._log, self._launch)
        with self._lock:
            self._busy.add(environment)
        if self._stopped.is_set():
            environment.kill()
        return environment

    def _launch(self, spec: FunctionSpec, variables: Mapping[str, str]) -> Process:
        if spec.package is None or self._templates is None:
            # Without a package it brings its libraries: it must not find those of this stack.
            bare = spec.package is None
            return Child(_RUNTIME, [spec.handler], environment=variables, folder=spec.folder, bare=bare)
        arguments = [signal.SIGKILL.name, _RUNTIME, spec.handler]
        return self._templates.launch(spec.package, spec.folder, variables, arguments)

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            self._busy.discard(environment)
            keep = environment.usable and not self._stopped.is_set()
            if keep:
                self._idle.setdefault((environment.spec.key, environment.tenant), []).append(environment)
        if not keep:
            environment.kill()

    def _reap(self) -> None:
        while not self._stopped.wait(max(self._idle_seconds / 4, _LEAST_REAP_SECONDS)):
            limit = time.monotonic() - self._idle_seconds
            stale: list[ExecutionEnvironment] = []
            with self._lock:
                for key, pool in self._idle.items():
                    stale += [each for each in pool if each.last_used < limit or not each.usable]
                    self._idle[key] = [each for each in pool if each not in stale]
            for environment in stale:
                environment.kill()
