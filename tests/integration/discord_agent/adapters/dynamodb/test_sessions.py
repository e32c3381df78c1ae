import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.errors import Conflict, LeaseLost
from discord_agent.domain.ids import CommitSha, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.policy import DIRECT_MESSAGES, Action, GuildSettings, People, Permit
from discord_agent.domain.session import InboxItem, ItemKind, Session
from tests.support.clock import ManualClock
from tests.support.values import values_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ADA, BOB = UserId("11"), UserId("12")
RUN = ExecutionId("m-1")
_FEW = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _item(thread: ThreadId, message: str, clock: ManualClock, kind: ItemKind = ItemKind.REQUEST) -> InboxItem:
    return InboxItem(thread, MessageId(message), ADA, "ada", "first text", kind, clock.now())


def test_a_new_thread_has_the_defaults(sessions: DynamoSessions, thread: ThreadId) -> None:
    assert sessions.get(thread) == Session(thread)


@_FEW
@given(session=values_of(Session))
def test_any_session_comes_back_as_it_was_stored(
    sessions: DynamoSessions, new_thread: Callable[[], ThreadId], session: Session
) -> None:
    session = replace(session, thread_id=new_thread())
    fields = {name: getattr(session, name) for name in Session.__struct_fields__ if name != "thread_id"}
    sessions.update(session.thread_id, **fields)
    assert sessions.get(session.thread_id) == session


def test_fields_are_set_apart_from_each_other(sessions: DynamoSessions, thread: ThreadId) -> None:
    sessions.update(thread, topic="jwt", base=CommitSha("a" * 40))
    sessions.update(thread, dirty=True, base=None)
    assert sessions.get(thread) == Session(thread, topic="jwt", dirty=True)


def test_a_field_that_does_not_exist_is_refused(sessions: DynamoSessions, thread: ThreadId) -> None:
    with pytest.raises(TypeError):
        sessions.update(thread, colour="red")


def test_only_the_newest_attempt_writes_under_a_lease(
    sessions: DynamoSessions, leases: DynamoLeases, thread: ThreadId
) -> None:
    older = leases.acquire(thread, RUN)
    newer = leases.renew(thread, RUN)
    with pytest.raises(LeaseLost):
        sessions.update(thread, lease=older, topic="old")
    sessions.update(thread, lease=newer, topic="new")
    leases.release(thread, RUN)
    with pytest.raises(LeaseLost):
        sessions.update(thread, lease=newer, topic="late")
    assert sessions.get(thread).topic == "new"


def test_votes_move_the_confidence_of_a_thread(sessions: DynamoSessions, thread: ThreadId) -> None:
    assert sessions.vote(thread, MessageId("1"), ADA, 15) == 95
    assert sessions.vote(thread, MessageId("1"), ADA, -20) == 60
    assert sessions.get(thread).confidence == 60


def test_a_person_has_one_vote_per_message_however_often_it_is_delivered(
    sessions: DynamoSessions, thread: ThreadId
) -> None:
    for _ in range(3):
        assert sessions.vote(thread, MessageId("1"), ADA, -20) == 60
    assert sessions.vote(thread, MessageId("1"), BOB, -20) == 40
    assert sessions.vote(thread, MessageId("2"), ADA, -20) == 20


def test_taking_a_vote_back_undoes_it_even_where_the_bounds_cut_it_off(
    sessions: DynamoSessions, thread: ThreadId
) -> None:
    sessions.update(thread, confidence=90)
    assert sessions.vote(thread, MessageId("1"), ADA, 15) == 100
    assert sessions.vote(thread, MessageId("1"), ADA, 0) == 90
    assert sessions.vote(thread, MessageId("1"), ADA, 0) == 90


def test_votes_cast_at_once_all_count(sessions: DynamoSessions, thread: ThreadId) -> None:
    sessions.update(thread, confidence=20)
    together = Barrier(5)

    def vote(number: int) -> int:
        together.wait(timeout=10)
        return sessions.vote(thread, MessageId("1"), UserId(str(number)), 15)

    with ThreadPoolExecutor(5) as pool:
        seen = sorted(pool.map(vote, range(5)))
    assert seen == [35, 50, 65, 80, 95]
    assert sessions.get(thread).confidence == 95


def test_messages_wait_oldest_first_by_kind(sessions: DynamoSessions, thread: ThreadId, clock: ManualClock) -> None:
    items = [_item(thread, message, clock) for message in ("9", "10", "100")]
    steer = _item(thread, "50", clock, ItemKind.STEER)
    assert all(sessions.put(item) for item in (items[2], steer, items[0], items[1]))
    assert sessions.waiting(thread, ItemKind.REQUEST) == tuple(items)
    assert sessions.waiting(thread, ItemKind.STEER) == (steer,)


def test_a_message_is_queued_once(sessions: DynamoSessions, thread: ThreadId, clock: ManualClock) -> None:
    item = _item(thread, "1", clock)
    together = Barrier(8)

    def put(_: int) -> bool:
        together.wait(timeout=10)
        return sessions.put(item)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(put, range(8))) == 1
    assert sessions.waiting(thread, ItemKind.REQUEST) == (item,)


def test_a_message_taken_out_is_not_queued_again_by_a_redelivery(
    sessions: DynamoSessions, thread: ThreadId, clock: ManualClock
) -> None:
    items = [_item(thread, str(number), clock) for number in range(10, 70)]
    for item in items:
        sessions.put(item)
    sessions.remove(iter(items))
    assert sessions.waiting(thread, ItemKind.REQUEST) == ()
    assert not sessions.put(items[0])
    assert sessions.waiting(thread, ItemKind.REQUEST) == ()


def test_taking_nothing_out_does_nothing(sessions: DynamoSessions) -> None:
    sessions.remove([])


@pytest.mark.parametrize("order", list(itertools.permutations(["put", "edit", "drop"])), ids="-".join)
def test_a_deleted_message_is_never_queued_whatever_overtakes_what(
    sessions: DynamoSessions, thread: ThreadId, clock: ManualClock, order: tuple[str, ...]
) -> None:
    item = _item(thread, "1", clock)
    steps = {
        "put": lambda: sessions.put(item),
        "edit": lambda: sessions.edit(thread, item.message_id, "second text"),
        "drop": lambda: sessions.drop(thread, item.message_id),
    }
    for step in order:
        steps[step]()
    assert sessions.waiting(thread, ItemKind.REQUEST) == ()


@_FEW
@given(actions=st.lists(st.sampled_from(["put", "edit one", "edit two", "drop", "remove"]), max_size=8))
def test_the_queue_agrees_with_a_plain_model_over_any_history(
    sessions: DynamoSessions, new_thread: Callable[[], ThreadId], clock: ManualClock, actions: list[str]
) -> None:
    thread = new_thread()
    item = _item(thread, "1", clock)
    queued: str | None = None
    edited: str | None = None
    gone = False
    for action in actions:
        match action.split():
            case ["put"]:
                expected = queued is None and not gone
                assert sessions.put(item) is expected
                queued = (edited or item.content) if expected else queued
            case ["edit", text]:
                assert sessions.edit(thread, item.message_id, text) is (queued is not None)
                queued, edited = (text, edited) if queued is not None else (None, text)
            case ["drop"]:
                assert sessions.drop(thread, item.message_id) is (queued is not None)
                queued, gone = None, True
            case _:
                sessions.remove([item])
                queued, gone = None, True
        waiting = [found.content for found in sessions.waiting(thread, ItemKind.REQUEST)]
        assert waiting == ([] if queued is None else [queued])


def test_a_guild_has_the_default_settings_until_they_are_stored(sessions: DynamoSessions) -> None:
    guild = GuildId("900000000000000001")
    assert sessions.settings(guild) == GuildSettings()
    stored = GuildSettings(repository="https://example.com/a.git", permits=(Permit(Action.STOP, People(users=(ADA,))),))
    sessions.put_settings(guild, stored)
    assert sessions.settings(guild) == stored


def test_of_two_changes_to_the_same_settings_the_later_one_is_refused(sessions: DynamoSessions) -> None:
    guild = GuildId("900000000000000002")
    before = sessions.settings(guild)
    first = replace(before, repository="https://example.com/a.git")
    sessions.put_settings(guild, first, instead_of=before)
    with pytest.raises(Conflict):
        sessions.put_settings(guild, replace(before, repository="https://example.com/b.git"), instead_of=before)
    assert sessions.settings(guild) == first
    second = replace(first, repository="https://example.com/c.git")
    sessions.put_settings(guild, second, instead_of=first)
    assert sessions.settings(guild) == second


def test_direct_messages_have_settings_of_their_own(sessions: DynamoSessions) -> None:
    assert sessions.settings(None) == GuildSettings()
    stored = GuildSettings(permits=(Permit(Action.RUN, People(users=(ADA,))),))
    sessions.put_settings(DIRECT_MESSAGES, stored)
    assert sessions.settings(None) == stored


def test_a_forgotten_thread_leaves_nothing_to_read(
    sessions: DynamoSessions, thread: ThreadId, clock: ManualClock
) -> None:
    sessions.put(_item(thread, "1", clock))
    sessions.vote(thread, MessageId("1"), ADA, 15)
    sessions.delete(thread)
    assert sessions.get(thread) == Session(thread)
    assert sessions.waiting(thread, ItemKind.REQUEST) == ()
    assert sessions.vote(thread, MessageId("1"), ADA, 0) == 80


class _Interrupted:
    """A DynamoDB client to which something happens just before its first transaction."""

    def __init__(self, client: "DynamoDBClient", interruption: Callable[[], object]) -> None:
        self._client = client
        self._interruption: Callable[[], object] | None = interruption

    def __getattr__(self, name: str) -> Any:
        if name == "transact_write_items" and self._interruption:
            interruption, self._interruption = self._interruption, None
            interruption()
        return getattr(self._client, name)


@pytest.mark.parametrize("edited_before", [False, True])
def test_a_deletion_that_slips_in_while_a_message_is_being_queued_wins(
    dynamodb: "DynamoDBClient", sessions: DynamoSessions, thread: ThreadId, clock: ManualClock, edited_before: bool
) -> None:
    item = _item(thread, "1", clock)
    if edited_before:
        sessions.edit(thread, item.message_id, "second text")
    client: Any = _Interrupted(dynamodb, lambda: sessions.drop(thread, item.message_id))
    assert not replace(sessions, store=Store(client)).put(item)
    assert sessions.waiting(thread, ItemKind.REQUEST) == ()


def test_a_message_queued_while_its_edit_is_being_remembered_gets_the_new_text(
    dynamodb: "DynamoDBClient", sessions: DynamoSessions, thread: ThreadId, clock: ManualClock
) -> None:
    item = _item(thread, "1", clock)
    client: Any = _Interrupted(dynamodb, lambda: sessions.put(item))
    assert replace(sessions, store=Store(client)).edit(thread, item.message_id, "second text")
    assert sessions.waiting(thread, ItemKind.REQUEST) == (replace(item, content="second text"),)
