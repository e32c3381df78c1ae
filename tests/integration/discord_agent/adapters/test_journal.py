import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discord_agent.adapters.journal import S3Journal
from discord_agent.domain.conversation import Message, ModelReply, Role, ToolCall, ToolResult
from discord_agent.domain.errors import InvalidEvent, LeaseLost, StateUnavailable
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ModelName, ThreadId, UserId
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.run import RunState
from discord_agent.domain.workspace import FileEntry, Manifest
from discord_agent.ports import Context, JournaledRound
from tests.support import buckets
from tests.support.data_plane import client, data_plane
from tests.support.values import values_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN = RunState(ExecutionId("m-1"), ThreadId("2"), ChannelId("3"), MessageId("1"), UserId("4"))
HELLO = Message(Role.USER, "hello")
REPLY = ModelReply(Message(Role.ASSISTANT, "", (ToolCall("c1", "bash", '{"command": "ls"}'),)), ModelName("scripted"))
RESULTS = (ToolResult("c1", "bash", ok=True, text="auth.py", facts={"exit_code": 0}),)
MANIFEST = Manifest(
    (FileEntry("auth.py", 0o644, 3, "a" * 64, f"threads/2/workspace/packs/{'b' * 64}", 0, 20),), base="c" * 40
)


@pytest.fixture
def s3() -> "Iterator[S3Client]":
    with buckets.bucket() as client:
        yield client


@pytest.fixture
def journal(s3: "S3Client") -> S3Journal:
    return S3Journal(s3, buckets.BUCKET)


def _another(journal: S3Journal) -> S3Journal:
    """The journal as another process sees it."""
    return S3Journal(journal.s3, journal.bucket)


def test_a_run_without_a_journal_has_neither_context_nor_rounds(journal: S3Journal) -> None:
    assert journal.load_context(RUN) is None
    assert journal.rounds(RUN, 1) == ()


def _save(journal: S3Journal, turn: int) -> None:
    """Save a context as a step does: made from the stored one, if any."""
    stored = journal.load_context(RUN)
    journal.save_context(RUN, Context((HELLO,), turn, version=stored.version if stored else ""))


def _load(journal: S3Journal) -> Context:
    context = journal.load_context(RUN)
    assert context is not None
    return context


def test_a_context_comes_back(journal: S3Journal) -> None:
    journal.save_context(RUN, Context((HELLO, REPLY.message), turn=3))
    stored = _load(journal)
    assert (stored.messages, stored.turn) == ((HELLO, REPLY.message), 3)
    assert journal.load_context(replace(RUN, execution_id=ExecutionId("m-2"))) is None


def test_a_context_replaces_the_one_it_was_made_from(journal: S3Journal) -> None:
    for turn in range(3):
        _save(journal, turn)
    assert _load(journal).turn == 2


def test_an_older_attempt_cannot_overwrite_the_context_of_a_newer_turn(journal: S3Journal) -> None:
    _save(journal, 0)
    loaded_by_both = _load(journal)
    journal.save_context(RUN, replace(loaded_by_both, turn=1, messages=(HELLO, HELLO)))
    with pytest.raises(LeaseLost):
        journal.save_context(RUN, replace(loaded_by_both, turn=1, messages=(HELLO,)))
    assert _load(journal).messages == (HELLO, HELLO)


def test_an_equal_context_of_another_attempt_counts_as_newer_too(journal: S3Journal) -> None:
    _save(journal, 0)
    loaded_by_both = _load(journal)
    journal.save_context(RUN, loaded_by_both)
    with pytest.raises(LeaseLost):
        journal.save_context(RUN, loaded_by_both)


def test_who_never_loaded_a_context_cannot_overwrite_one(journal: S3Journal) -> None:
    _save(journal, 0)
    with pytest.raises(LeaseLost):
        journal.save_context(RUN, Context((), 0))


def test_a_context_that_was_deleted_meanwhile_is_not_remembered(journal: S3Journal) -> None:
    _save(journal, 0)
    _load(journal)
    for key in buckets.keys(journal.s3):
        journal.s3.delete_object(Bucket=journal.bucket, Key=key)
    assert journal.load_context(RUN) is None


def _message(number: int) -> Message:
    return Message(Role.USER, f"message {number}")


def _grow(journal: S3Journal, turns: range) -> None:
    """Play turns that add two messages each."""
    for turn in turns:
        context = journal.load_context(RUN) or Context((), 0)
        grown = (*context.messages, _message(2 * turn), _message(2 * turn + 1))
        journal.save_context(RUN, replace(context, messages=grown, turn=turn, reached=replace(RUN, turn=turn)))


def test_another_process_finds_the_whole_list(journal: S3Journal) -> None:
    _grow(journal, range(12))
    assert _load(_another(journal)).messages == tuple(map(_message, range(24)))
    assert _load(_another(journal)) == _load(journal)


def test_processes_that_take_turns_see_what_the_other_added(journal: S3Journal) -> None:
    other = _another(journal)
    for turn in range(6):
        _grow(other if turn % 2 else journal, range(turn, turn + 1))
    assert _load(journal).messages == _load(other).messages == tuple(map(_message, range(12)))


def test_a_list_that_was_cut_and_rewritten_comes_back_as_it_is(journal: S3Journal) -> None:
    _grow(journal, range(3))
    for messages in (
        tuple(map(_message, range(4))),
        (_message(0), HELLO, _message(3)),
        (HELLO,),
        (),
        (HELLO, HELLO, _message(9)),
    ):
        context = _load(journal)
        journal.save_context(RUN, replace(context, messages=messages))
        assert _load(journal).messages == _load(_another(journal)).messages == messages


def test_the_list_after_any_turn_can_be_found_with_the_run_as_it_was(journal: S3Journal) -> None:
    _grow(journal, range(5))
    context = _load(journal)
    journal.save_context(RUN, replace(context, messages=(HELLO,), reached=None))
    for turn in range(4):
        found = _another(journal).context_at(RUN.thread_id, RUN.execution_id, turn)
        assert found is not None
        assert found.messages == tuple(map(_message, range(2 * turn + 2)))
        assert found.reached == replace(RUN, turn=turn)
    last = journal.context_at(RUN.thread_id, RUN.execution_id, 4)
    assert last is not None
    assert (last.messages, last.reached) == ((HELLO,), replace(RUN, turn=4))
    assert journal.context_at(RUN.thread_id, RUN.execution_id, 5) is None
    assert journal.context_at(RUN.thread_id, ExecutionId("m-2"), 0) is None


class _Counted:
    """An S3 client that counts requests and the bytes of bodies, either way."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3
        self.requests: list[str] = []
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def get_paginator(self, name: str) -> Any:
        self.requests.append(name)
        return self._s3.get_paginator("list_objects_v2")

    def get_object(self, **request: Any) -> Any:
        self.requests.append("get_object")
        return self._s3.get_object(**request)

    def put_object(self, **request: Any) -> Any:
        self.requests.append("put_object")
        self.sent += len(request["Body"])
        return self._s3.put_object(**request)


def test_what_a_turn_costs_does_not_grow_with_its_number(s3: "S3Client") -> None:
    counted = _Counted(s3)
    client: Any = counted
    journal = S3Journal(client, buckets.BUCKET, new_id=lambda: "0" * 32)
    spent = []
    for turn in range(40):
        counted.requests.clear()
        counted.sent = 0
        _grow(journal, range(turn, turn + 1))
        spent.append((tuple(counted.requests), counted.sent))
    assert {requests for requests, _ in spent[1:]} == {("list_objects_v2", "put_object")}
    assert max(sent for _, sent in spent[1:]) <= 1.1 * spent[1][1]


def test_rounds_come_back_in_order_as_far_as_they_got(journal: S3Journal) -> None:
    journal.record_reply(RUN, 3, 0, JournaledRound(REPLY, (HELLO,)))
    journal.record_results(RUN, 3, 0, RESULTS, MANIFEST)
    journal.record_reply(RUN, 3, 1, JournaledRound(REPLY))
    journal.record_results(RUN, 3, 1, RESULTS, None)
    journal.record_reply(RUN, 3, 2, JournaledRound(REPLY, interrupts=(Interrupt.WRONG,)))
    assert _another(journal).rounds(RUN, 3) == (
        JournaledRound(REPLY, (HELLO,), RESULTS, MANIFEST),
        JournaledRound(REPLY, (), RESULTS),
        JournaledRound(REPLY, interrupts=(Interrupt.WRONG,)),
    )
    assert journal.rounds(RUN, 30) == ()


def test_objects_lie_where_the_sandbox_cannot_reach_them(journal: S3Journal) -> None:
    journal.save_context(RUN, Context((HELLO,), 0))
    journal.record_reply(RUN, 3, 0, JournaledRound(REPLY))
    journal.record_results(RUN, 3, 0, RESULTS, None)
    assert buckets.keys(journal.s3) == [
        "threads/2/runs/m-1/context/0001",
        "threads/2/runs/m-1/turns/0003/00-reply",
        "threads/2/runs/m-1/turns/0003/00-results",
    ]


def test_of_eight_overlapping_attempts_one_journals_the_round() -> None:
    together = Barrier(8)

    with data_plane() as endpoint:
        s3 = client("s3", endpoint)
        s3.create_bucket(Bucket=buckets.BUCKET)

        def record(_: int) -> bool:
            together.wait(timeout=10)
            try:
                S3Journal(s3, buckets.BUCKET).record_reply(RUN, 1, 0, JournaledRound(REPLY))
            except LeaseLost:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(record, range(8))) == 1


def test_results_are_journalled_once(journal: S3Journal) -> None:
    journal.record_reply(RUN, 1, 0, JournaledRound(REPLY))
    journal.record_results(RUN, 1, 0, RESULTS, None)
    with pytest.raises(LeaseLost):
        journal.record_results(RUN, 1, 0, RESULTS, None)


class _AnswersGetLost:
    """An S3 client whose puts arrive twice, as when the SDK repeats one whose answer got lost."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **request: Any) -> Any:
        self._s3.put_object(**request)
        return self._s3.put_object(**request)


def test_a_repeated_put_of_ones_own_is_no_lost_race(journal: S3Journal) -> None:
    client: Any = _AnswersGetLost(journal.s3)
    unlucky = S3Journal(client, journal.bucket)
    unlucky.record_reply(RUN, 1, 0, JournaledRound(REPLY))
    _save(unlucky, 0)
    _save(unlucky, 1)
    assert journal.rounds(RUN, 1) == (JournaledRound(REPLY),)
    assert _load(journal).turn == 1


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    reply=values_of(ModelReply),
    heard=st.lists(values_of(Message), max_size=2).map(tuple),
    results=st.lists(values_of(ToolResult), max_size=2).map(tuple),
)
def test_any_round_comes_back_as_it_was(
    journal: S3Journal, reply: ModelReply, heard: tuple[Message, ...], results: tuple[ToolResult, ...]
) -> None:
    run = replace(RUN, execution_id=ExecutionId(f"m-{next(_NUMBERS)}"))
    journal.record_reply(run, 1, 0, JournaledRound(reply, heard))
    journal.record_results(run, 1, 0, results, None)
    assert journal.rounds(run, 1) == (JournaledRound(reply, heard, results),)


_NUMBERS = itertools.count(10)


def test_text_that_is_no_valid_unicode_survives(journal: S3Journal) -> None:
    odd = Message(Role.ASSISTANT, "half an emoji: \ud83d")
    journal.save_context(RUN, Context((odd,), 0))
    assert _load(journal).messages == (odd,)


@pytest.mark.parametrize("body", [b"", b"garbage", b"(\xb5/\xfd"])
def test_a_damaged_object_is_named_as_such(journal: S3Journal, body: bytes) -> None:
    journal.s3.put_object(Bucket=journal.bucket, Key="threads/2/runs/m-1/context/0001", Body=body)
    with pytest.raises(InvalidEvent):
        journal.load_context(RUN)


class _Unreachable:
    """An S3 client that fails in one way."""

    def __init__(self, s3: "S3Client", failure: Exception) -> None:
        self.exceptions = s3.exceptions
        self._failure = failure

    def get_object(self, **request: Any) -> Any:
        raise self._failure

    put_object = get_object

    def get_paginator(self, name: str) -> Any:
        raise self._failure


def _answer(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutObject")


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (EndpointConnectionError(endpoint_url="https://s3"), StateUnavailable),
        (_answer("SlowDown", 503), StateUnavailable),
        (_answer("AccessDenied", 403), ClientError),
    ],
)
def test_an_outage_is_worth_a_retry_and_a_refusal_is_not(
    journal: S3Journal, failure: Exception, meaning: type[Exception]
) -> None:
    client: Any = _Unreachable(journal.s3, failure)
    unreachable = S3Journal(client, journal.bucket)
    with pytest.raises(meaning):
        unreachable.load_context(RUN)
    with pytest.raises(meaning):
        unreachable.record_reply(RUN, 1, 0, JournaledRound(REPLY))
