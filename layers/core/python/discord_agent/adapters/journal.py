"""The journal of a run on S3: written once per round, and a context that only moves on.

Objects lie out of the sandbox's reach::

    threads/<thread>/runs/<execution>/context               the message list after the last finished turn
    threads/<thread>/runs/<execution>/turns/0003/00-reply   turn 3, first round: what the model answered
    threads/<thread>/runs/<execution>/turns/0003/00-results the same round: what its tools gave
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import zstandard
from botocore.exceptions import ClientError

from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import from_json, to_json
from discord_agent.adapters.workspace.codec import from_inline, inline
from discord_agent.domain.conversation import Message, ModelReply, ToolResult
from discord_agent.domain.errors import InvalidEvent, LeaseLost
from discord_agent.domain.run import RunState
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Context, JournaledRound
from discord_agent.system import thread_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOST_RACE: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
"""NoSuchKey: what If-Match names is gone."""
_MAX_BYTES: Final = 256 * 1024 * 1024
"""What an object may be when unpacked."""


@dataclass(frozen=True, slots=True)
class _Reply:
    reply: ModelReply
    heard: tuple[Message, ...]
    write_id: str


@dataclass(frozen=True, slots=True)
class _Results:
    results: tuple[ToolResult, ...]
    manifest: str | None
    write_id: str


@dataclass(frozen=True, slots=True)
class _Context:
    messages: tuple[Message, ...]
    turn: int
    write_id: str


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class S3Journal:
    """Journals in one bucket.

    Of two overlapping attempts at a turn the later writer loses, whatever it writes::

        attempt A   load context (etag 1) ── put 00-reply If-None-Match ── ok … put context If-Match 1 ── ok
        attempt B   load context (etag 1) ───── put 00-reply If-None-Match ── 412 → LeaseLost
        attempt C   load context (etag 1) ─────────────────────────────────── put context If-Match 1 ── 412 → LeaseLost

    Every write has an id of its own, so a put that the SDK repeated because the answer got lost knows its own object.
    """

    s3: "S3Client"
    bucket: str
    new_id: Callable[[], str] = _new_id

    def load_context(self, run: RunState) -> Context | None:
        """The message list after the last finished turn; its version is the object's etag."""
        found = self._get(_context_key(run))
        if found is None:
            return None
        stored = _unpack(_Context, found[0])
        return Context(stored.messages, stored.turn, version=found[1])

    def save_context(self, run: RunState, context: Context) -> None:
        """Store a message list in place of the one it was made from; LeaseLost if another attempt stored one since."""
        body = _pack(_Context(context.messages, context.turn, self.new_id()))
        self._put(_context_key(run), body, expected=context.version)

    def rounds(self, run: RunState, turn: int) -> tuple[JournaledRound, ...]:
        """The rounds of a turn that an earlier attempt journalled, in order."""
        prefix = _turn_prefix(run, turn)
        numbers = range(sum(key.endswith("-reply") for key in self._keys(prefix)))
        return tuple(self._round(run, f"{prefix}{number:02d}") for number in numbers)

    def record_reply(
        self, run: RunState, turn: int, number: int, reply: ModelReply, heard: tuple[Message, ...] = ()
    ) -> None:
        """Journal a reply and what people said before it; LeaseLost if another attempt journalled this round."""
        key = f"{_turn_prefix(run, turn)}{number:02d}-reply"
        self._put(key, _pack(_Reply(reply, heard, self.new_id())))

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
        begun = _unpack(_Reply, written[0])
        found = self._get(f"{stem}-results")
        if found is None:
            return JournaledRound(begun.reply, begun.heard)
        done = _unpack(_Results, found[0])
        manifest = from_inline(done.manifest, run.thread_id) if done.manifest is not None else None
        return JournaledRound(begun.reply, begun.heard, done.results, manifest)

    def _keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        with outages("S3"):
            return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _get(self, key: str) -> tuple[bytes, str] | None:
        with outages("S3"):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=key)
            except self.s3.exceptions.NoSuchKey:
                return None
            return answer["Body"].read(), answer["ETag"]

    def _put(self, key: str, body: bytes, *, expected: str = "") -> None:
        """Write if the object's etag is still as expected ("": there is none)."""
        condition: Any = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
        try:
            with outages("S3"):
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST_RACE:
                raise
            found = self._get(key)
            is_own = found is not None and found[0] == body
            if not is_own:
                raise LeaseLost(f"another attempt wrote {key} first") from error


def _pack(value: _Context | _Reply | _Results) -> bytes:
    text = json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return zstandard.ZstdCompressor(level=3).compress(text.encode("utf-8", "surrogatepass"))


def _unpack[T](cls: type[T], body: bytes) -> T:
    try:
        text = zstandard.ZstdDecompressor().decompress(body, max_output_size=_MAX_BYTES)
        data = json.loads(text.decode("utf-8", "surrogatepass"))
    except (zstandard.ZstdError, ValueError) as error:
        raise InvalidEvent("a journal entry cannot be read") from error
    return from_json(cls, data)


def _run_prefix(run: RunState) -> str:
    return f"{thread_prefix(run.thread_id)}runs/{run.execution_id}/"


def _context_key(run: RunState) -> str:
    return f"{_run_prefix(run)}context"


def _turn_prefix(run: RunState, turn: int) -> str:
    return f"{_run_prefix(run)}turns/{turn:04d}/"
