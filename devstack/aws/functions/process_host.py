"""Runs functions in processes of their own, kept warm between calls."""

import threading
import time
import uuid
from pathlib import Path
from typing import Final

from devstack.aws.functions.environment import ExecutionEnvironment
from devstack.aws.functions.model import Call, FunctionSpec, Invocation, LogSink

_LEAST_REAP_SECONDS: Final = 0.05

type _Pool = tuple[str, str | None]


class ProcessHost:
    """Environments are pooled by function and tenant; idle ones end after ``idle_seconds``."""

    def __init__(self, folder: Path, *, idle_seconds: float, log: LogSink) -> None:
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
        environment = ExecutionEnvironment(spec, tenant, self._folder / f"{spec.key}-{uuid.uuid4().hex}", self._log)
        with self._lock:
            self._busy.add(environment)
        if self._stopped.is_set():
            environment.kill()
        return environment

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
