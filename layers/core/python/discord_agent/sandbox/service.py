"""One invocation of the sandbox: bring the files up to date, answer a round of requests, save once."""

import itertools
import logging
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from discord_agent.adapters.metering import Meter
from discord_agent.adapters.workspace.codec import from_inline, inline
from discord_agent.adapters.workspace.layout import base_bundle_key, control_key
from discord_agent.adapters.workspace.packs import PackStore
from discord_agent.domain.conversation import Json
from discord_agent.domain.errors import InvalidEvent, SandboxUnavailable
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.domain.sandbox_tools import WRITING_TOOLS
from discord_agent.domain.workspace import Manifest
from discord_agent.sandbox.clone import make_clone
from discord_agent.sandbox.commands import Commands
from discord_agent.sandbox.files import edit_file, glob, list_files, read_file, write_file
from discord_agent.sandbox.lending import ToolCredential
from discord_agent.sandbox.outcome import Outcome, ToolRefused
from discord_agent.sandbox.server import answer_round, build_server, tool_named
from discord_agent.sandbox.tree import LocalTree

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOG = logging.getLogger(__name__)

_SAVE_SECONDS: Final = 40.0
"""Kept back from the time of the function for saving the tree."""

_MAX_REQUESTS: Final = 64
_SHOWN_SKIPPED: Final = 10
_S3_CONFIG: Final = Config(connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 3, "mode": "standard"})


class Credentials(BaseModel):
    """Short-lived credentials for one thread's packs; never put into the environment, where commands could look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr


class Invocation(BaseModel):
    """The event of the sandbox function."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thread_id: str = Field(pattern=r"^[0-9]{1,20}$")
    execution_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")
    bucket: str = ""
    manifest: str = ""
    credentials: Credentials | None = None
    tool_credentials: tuple[ToolCredential, ...] = ()
    requests: tuple[dict[str, Any], ...] = Field(max_length=_MAX_REQUESTS)

    @classmethod
    def parse(cls, event: object) -> "Invocation":
        """Read an event; InvalidEvent names what is wrong with it."""
        try:
            return cls.model_validate(event)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise InvalidEvent(f"not an event for the sandbox: {faults}") from error


class Storage:
    """The thread's part of the bucket, reached with the credentials of the invocation."""

    def __init__(self, invocation: Invocation) -> None:
        self._bucket = invocation.bucket
        self._credentials = invocation.credentials
        self._thread = ThreadId(invocation.thread_id)
        self._execution = ExecutionId(invocation.execution_id)
        self._client: S3Client | None = None
        self._meter = Meter()
        self._lock = threading.Lock()

    @property
    def requests(self) -> dict[str, int]:
        """How many requests were made so far, as AWS charges for them."""
        return {"reads": self._meter.total.object_reads, "writes": self._meter.total.object_writes}

    @property
    def packs(self) -> PackStore:
        """The packs of the thread."""
        return PackStore(self._s3(), self._bucket, self._thread)

    def stop_requested(self) -> bool:
        """Whether the stop marker of the execution is there."""
        return self._credentials is not None and self._exists(control_key(self._thread, self._execution))

    def download_bundle(self, target: Path) -> bool:
        """Fetch the git bundle; False if the thread has none."""
        key = base_bundle_key(self._thread)
        if self._credentials is None or not self._exists(key):
            return False
        self._s3().download_file(self._bucket, key, str(target))
        return True

    def _exists(self, key: str) -> bool:
        try:
            self._s3().head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in {"404", "NoSuchKey", "NotFound"}:
                return False
            if code in {"403", "AccessDenied"}:
                # What is missing looks forbidden to those whose leave to list is bound to a prefix; a list tells.
                return self._is_listed(key)
            raise
        return True

    def _is_listed(self, key: str) -> bool:
        found = self._s3().list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return any(each["Key"] == key for each in found)

    def _s3(self) -> "S3Client":
        if self._credentials is None:
            raise InvalidEvent("the event brings no credentials, so the workspace's contents cannot be reached")
        with self._lock:
            if self._client is None:
                self._client = boto3.client(
                    "s3",
                    aws_access_key_id=self._credentials.access_key_id,
                    aws_secret_access_key=self._credentials.secret_access_key.get_secret_value(),
                    aws_session_token=self._credentials.session_token.get_secret_value(),
                    config=_S3_CONFIG,
                )
                self._meter.watch(self._client.meta.events)
            return self._client


@dataclass(slots=True)
class _Local:
    """What this environment keeps between calls: the tree of one thread, and for which base it has a clone."""

    thread: str
    home: Path
    tree: LocalTree
    cloned: str = ""


class Sandbox:
    """Answers invocations; keeps the tree of the last thread, so that a warm call restores only what differs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._local: _Local | None = None
        self._remove: weakref.finalize[..., Sandbox] | None = None
        self._one_at_a_time = threading.Lock()

    def handle(self, event: object, seconds: float) -> Json:
        """Run a round within ``seconds``; ``responses`` in order, ``manifest`` if files changed, and ``requests`` to S3."""
        invocation = Invocation.parse(event)
        with self._one_at_a_time:
            round_ = _Round(invocation, self._open(invocation.thread_id), self._path, time.monotonic() + seconds)
            return round_.run()

    def close(self) -> None:
        """Remove the local files."""
        self._local = None
        if self._remove is not None:
            self._remove()

    def _open(self, thread: str) -> _Local:
        if self._local is None or self._local.thread != thread:
            # Tenant isolation gives a thread its own environment; where there is none, nothing is left to the next.
            self.close()
            home = Path(tempfile.mkdtemp(prefix="sandbox-")).resolve()
            # Also when the process ends, or nobody needs the sandbox any more.
            self._remove = weakref.finalize(self, shutil.rmtree, home, ignore_errors=True)
            (home / "workspace").mkdir()
            self._local = _Local(thread, home, LocalTree(home / "workspace"))
        return self._local


class _Round:
    """One round of requests on an open tree."""

    def __init__(self, invocation: Invocation, local: _Local, path: str, deadline: float) -> None:
        thread = ThreadId(invocation.thread_id)
        self._thread = thread
        self._requests = invocation.requests
        self._manifest = from_inline(invocation.manifest, thread) if invocation.manifest else Manifest()
        self._storage = Storage(invocation)
        self._local = local
        self._stopped = False
        self._commands = Commands(
            root=local.tree.root,
            scratch=local.home,
            path=path,
            remaining=lambda: deadline - _SAVE_SECONDS - time.monotonic(),
            stop_requested=self._storage.stop_requested,
            credentials=invocation.tool_credentials,
        )
        self._tools: dict[str, Callable[[Json], Outcome]] = {
            "read_file": lambda arguments: read_file(local.tree.root, arguments),
            "write_file": lambda arguments: write_file(local.tree.root, arguments),
            "edit_file": lambda arguments: edit_file(local.tree.root, arguments),
            "list_files": lambda arguments: list_files(local.tree.root, arguments),
            "glob": lambda arguments: glob(local.tree.root, arguments),
            "grep": self._commands.grep,
            "bash": self._bash,
        }

    def run(self) -> Json:
        """Answer all requests, then save."""
        self._restore()
        responses = anyio.run(answer_round, build_server(self._call), self._requests)
        saved, skipped = self._save()
        return {
            "responses": responses,
            "manifest": inline(saved, self._thread) if saved != self._manifest else None,
            "skipped": dict(itertools.islice(sorted(skipped.items()), _SHOWN_SKIPPED)),
            "requests": self._storage.requests,
        }

    def _restore(self) -> None:
        nothing_to_do = not self._manifest.files and not self._local.tree.seen
        if not nothing_to_do:
            self._local.tree.apply(self._manifest, self._storage.packs)

    async def _call(self, name: str, arguments: Json) -> tuple[Outcome, int]:
        started = time.monotonic()
        outcome = await anyio.to_thread.run_sync(self._run_tool, name, arguments)
        return outcome, round((time.monotonic() - started) * 1000)

    def _run_tool(self, name: str, arguments: Json) -> Outcome:
        writes = name in WRITING_TOOLS
        if self._stopped and writes:
            return Outcome("[not run: somebody asked the run to stop]", ok=False, facts={"interrupted": True})
        before = self._local.tree.seen
        try:
            outcome = self._tools[name](arguments)
        except ToolRefused as refusal:
            outcome = Outcome(str(refusal), ok=False)
        if not writes:
            return outcome
        self._stopped = self._stopped or bool(outcome.facts.get("interrupted"))
        scan = self._local.tree.scan(self._manifest)
        facts = {**outcome.facts, "paths_changed": self._local.tree.changes_since(before)}
        return Outcome(outcome.text + _not_saved(scan.skipped), outcome.ok, facts)

    def _bash(self, arguments: Json) -> Outcome:
        base = self._manifest.base
        if base is not None and self._local.cloned != base:
            fault = make_clone(self._commands, self._local.tree.root, base, self._storage.download_bundle)
            self._local.cloned = base
            if fault:
                _LOG.warning("no git repository in the sandbox: %s", fault)
        return self._commands.bash(arguments)

    def _save(self) -> tuple[Manifest, dict[str, str]]:
        wrote = any(tool_named(request) in WRITING_TOOLS for request in self._requests)
        changed = wrote and _differs(self._local.tree, self._manifest)
        if not changed:
            return self._manifest, {}
        try:
            return self._local.tree.save(self._manifest, self._storage.packs)
        except ClientError as error:
            raise SandboxUnavailable(f"the workspace could not be saved: {error}") from error


def _differs(tree: LocalTree, manifest: Manifest) -> bool:
    files = manifest.by_path()
    return tree.seen.keys() != files.keys() or any(
        not seen.same_content(files.get(path)) for path, seen in tree.seen.items()
    )


def _not_saved(skipped: dict[str, str]) -> str:
    shown = [f"\n[not saved: {path}: {reason}]" for path, reason in sorted(skipped.items())[:_SHOWN_SKIPPED]]
    more = f"\n[and {len(skipped) - len(shown)} more]" if len(skipped) > len(shown) else ""
    return "".join(shown) + more
