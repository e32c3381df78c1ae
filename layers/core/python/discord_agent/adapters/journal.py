"""The journal of a run on S3: what happens is written once, and never again with what came before it.

Objects lie out of the sandbox's reach::

    threads/<thread>/runs/<execution>/context/0004          the fourth change of the message list
    threads/<thread>/runs/<execution>/turns/0003/00-reply   turn 3, first round: what the model answered
    threads/<thread>/runs/<execution>/turns/0003/00-results the same round: what its tools gave
"""

import itertools
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError
from msgspec import Struct, field

from discord_agent.adapters import frames
from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import from_json, to_json
from discord_agent.adapters.workspace.codec import from_inline, inline
from discord_agent.adapters.workspace.layout import thread_prefix
from discord_agent.domain.conversation import Message, ModelReply, ToolResult
from discord_agent.domain.errors import InvalidEvent, LeaseLost
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.run import RunState
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Context, JournaledRound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOST_RACE: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_RUNS_REMEMBERED: Final = 2
"""A process works on one run at a time; a few megabytes each at most, as models take no more."""
_READERS: Final = 8
"""As many as a client of boto3 keeps connections for, and some to spare."""
_MAX_BYTES: Final = 256 * 1024 * 1024
"""What an object may be when unpacked."""


class _Reply(Struct, frozen=True):
    reply: ModelReply
    heard: tuple[Message, ...]
    write_id: str
    interrupts: tuple[Interrupt, ...] = ()
    paid_from: str = ""


class _Results(Struct, frozen=True):
    results: tuple[ToolResult, ...]
    manifest: str | None
    write_id: str


class _Change(Struct, frozen=True):
    """The message list before it, cut to its first ``keeps`` messages, followed by ``adds``."""

    keeps: int
    adds: tuple[Message, ...]
    turn: int
    write_id: str
    reached: RunState | None = None


def _new_id() -> str:
    return uuid4().hex


class _Recent:
    """The lists of the runs this process worked on last, by the prefix of their changes: a warm process reads news only.

    A list that is not the newest is found out by the change that follows it, so nothing here can be out of date.
    """

    def __init__(self) -> None:
        self._lists: OrderedDict[str, Context] = OrderedDict()

    def get(self, prefix: str) -> Context | None:
        return self._lists.get(prefix)

    def put(self, prefix: str, context: Context) -> None:
        self._lists[prefix] = context
        self._lists.move_to_end(prefix)
        while len(self._lists) > _RUNS_REMEMBERED:
            self._lists.popitem(last=False)

    def drop(self, prefix: str) -> None:
        self._lists.pop(prefix, None)


class S3Journal(Struct, frozen=True):
    """Journals in one bucket.

    A message list is a chain of numbered changes, each written once and never replaced; the version of a list is the
    number of its last change. Of two overlapping attempts at a turn the later writer loses, whatever it writes::

        attempt A   load list 7 ── put 00-reply If-None-Match ── ok … put context/0008 If-None-Match ── ok
        attempt B   load list 7 ───── put 00-reply If-None-Match ── 412 → LeaseLost
        attempt C   load list 7 ─────────────────────────────────── put context/0008 If-None-Match ── 412 → LeaseLost

    Every write has an id of its own, so a put that the SDK repeated because the answer got lost knows its own object.
    """

    s3: "S3Client"
    bucket: str
    new_id: Callable[[], str] = _new_id
    recent: _Recent = field(default_factory=_Recent)

    def load_context(self, run: RunState) -> Context | None:
        """The message list after the last finished turn; a process that knows an earlier one reads only what changed."""
        prefix = _context_prefix(run.thread_id, run.execution_id)
        known = self.recent.get(prefix)
        keys = self._keys(prefix, since=_change_key(prefix, int(known.version) - 1) if known else "")
        if known is not None and keys[:1] != [_change_key(prefix, int(known.version))]:
            # The list it knew is gone, with the thread or with its time.
            self.recent.drop(prefix)
            known, keys = None, self._keys(prefix)
        newer = keys[1:] if known else keys
        context = _followed(known, self._changes(newer))
        if context is not None:
            self.recent.put(prefix, context)
        return context

    def save_context(self, run: RunState, context: Context) -> Context:
        """Store how a list differs from the one it was made from; LeaseLost if another attempt changed that one since."""
        prefix = _context_prefix(run.thread_id, run.execution_id)
        before = self._list(prefix, context.version)
        kept = _common(before.messages, context.messages)
        number = int(context.version or 0) + 1
        reached = context.reached if context.reached != before.reached else None
        change = _Change(kept, context.messages[kept:], context.turn, self.new_id(), reached)
        self._put(_change_key(prefix, number), _pack(change))
        saved = replace(context, version=str(number), reached=context.reached or before.reached)
        self.recent.put(prefix, saved)
        return saved

    def context_at(self, thread: ThreadId, execution: ExecutionId, turn: int) -> Context | None:
        """The message list as it was after a turn (0: the opening) of any run; None if it never came that far."""
        changes = self._changes(self._keys(_context_prefix(thread, execution)))
        context = _followed(None, itertools.takewhile(lambda change: change.turn <= turn, changes))
        return context if context is not None and context.turn == turn else None

    def rounds(self, run: RunState, turn: int) -> tuple[JournaledRound, ...]:
        """The rounds of a turn that an earlier attempt journalled, in order."""
        prefix = _turn_prefix(run, turn)
        numbers = range(sum(key.endswith("-reply") for key in self._keys(prefix)))
        return tuple(self._round(run, f"{prefix}{number:02d}") for number in numbers)

    def record_reply(self, run: RunState, turn: int, number: int, begun: JournaledRound) -> None:
        """Journal a reply and what came before it; LeaseLost if another attempt journalled this round."""
        key = f"{_turn_prefix(run, turn)}{number:02d}-reply"
        reply = _Reply(begun.reply, begun.heard, self.new_id(), begun.interrupts, begun.paid_from)
        self._put(key, _pack(reply))

    def record_results(
        self, run: RunState, turn: int, number: int, results: tuple[ToolResult, ...], manifest: Manifest | None
    ) -> None:
        """Journal what the tool calls gave; LeaseLost if another attempt journalled this round's results."""
        key = f"{_turn_prefix(run, turn)}{number:02d}-results"
        text = inline(manifest, run.thread_id) if manifest is not None else None
        self._put(key, _pack(_Results(results, text, self.new_id())))

    def _round(self, run: RunState, stem: str) -> JournaledRound:
        written = self._get(f"{stem}-reply")
        if written is None:
            raise InvalidEvent(f"the journal misses {stem}-reply")
        stored = _unpack(_Reply, written)
        begun = JournaledRound(stored.reply, stored.heard, interrupts=stored.interrupts, paid_from=stored.paid_from)
        found = self._get(f"{stem}-results")
        if found is None:
            return begun
        done = _unpack(_Results, found)
        manifest = from_inline(done.manifest, run.thread_id) if done.manifest is not None else None
        return replace(begun, results=done.results, manifest=manifest)

    def _list(self, prefix: str, version: str) -> Context:
        """A list by its version."""
        known = self.recent.get(prefix)
        if known is not None and known.version == version:
            return known
        keys = [_change_key(prefix, number) for number in range(1, int(version or 0) + 1)]
        return _followed(None, self._changes(keys)) or Context((), 0)

    def _changes(self, keys: Sequence[str]) -> list[_Change]:
        """Changes by their keys; a cold process has many to read, so it reads them side by side."""
        if len(keys) <= 1:
            return [self._change(key) for key in keys]
        with ThreadPoolExecutor(min(_READERS, len(keys)), thread_name_prefix="journal") as pool:
            return list(pool.map(self._change, keys))

    def _change(self, key: str) -> _Change:
        found = self._get(key)
        if found is None:
            raise InvalidEvent(f"the journal misses {key}")
        return _unpack(_Change, found)

    def _keys(self, prefix: str, *, since: str = "") -> list[str]:
        """The keys under a prefix, in order; those after ``since``."""
        after: Any = {"StartAfter": since} if since else {}
        with outages("S3"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, **after)
            return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _get(self, key: str) -> bytes | None:
        with outages("S3"):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=key)
            except self.s3.exceptions.NoSuchKey:
                return None
            return answer["Body"].read()

    def _put(self, key: str, body: bytes) -> None:
        """Write what is not there yet."""
        try:
            with outages("S3"):
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST_RACE:
                raise
            if self._get(key) != body:
                raise LeaseLost(f"another attempt wrote {key} first") from error


def _followed(context: Context | None, changes: Iterable[_Change]) -> Context | None:
    """The list that changes make of another; the last that came with a run tells how far it was."""
    for change in changes:
        before = context or Context((), 0, version="0")
        context = Context(
            (*before.messages[: change.keeps], *change.adds),
            change.turn,
            str(int(before.version) + 1),
            change.reached or before.reached,
        )
    return context


def _common(before: Sequence[Message], after: Sequence[Message]) -> int:
    """How many messages two lists begin with alike."""
    differing = (index for index, (old, new) in enumerate(zip(before, after, strict=False)) if old != new)
    return next(differing, min(len(before), len(after)))


def _pack(value: _Change | _Reply | _Results) -> bytes:
    text = json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return frames.compress(text.encode("utf-8", "surrogatepass"))


def _unpack[T](cls: type[T], body: bytes) -> T:
    try:
        text = frames.decompress(body, _MAX_BYTES)
        data = json.loads(text.decode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise InvalidEvent("a journal entry cannot be read") from error
    return from_json(cls, data)


def _run_prefix(thread: ThreadId, execution: ExecutionId) -> str:
    return f"{thread_prefix(thread)}runs/{execution}/"


def _context_prefix(thread: ThreadId, execution: ExecutionId) -> str:
    return f"{_run_prefix(thread, execution)}context/"


def _change_key(prefix: str, number: int) -> str:
    return f"{prefix}{number:04d}"


def _turn_prefix(run: RunState, turn: int) -> str:
    return f"{_run_prefix(run.thread_id, run.execution_id)}turns/{turn:04d}/"
