"""The fakes answer as the real adapters do: each story is told to both, and what they say is compared."""

from collections.abc import Callable, Iterator
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from discord_agent import ports
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.memories import DynamoInsights, DynamoReflections
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.journal import S3Journal
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain.conversation import Message, Role
from discord_agent.domain.errors import AgentError
from discord_agent.domain.ids import CommitSha, ExecutionId, GuildId, MessageId
from discord_agent.domain.memory import Insight, Reflection, shelf
from discord_agent.domain.run import Commit, Outcome, RunState
from discord_agent.domain.session import Approval, Decision, InboxItem, ItemKind, Lease
from discord_agent.domain.workspace import Head, Manifest
from discord_agent.holdings import TABLES
from tests.support import buckets
from tests.support.clock import ManualClock
from tests.support.data_plane import client, create_tables, data_plane
from tests.support.fakes.models import finishes
from tests.support.fakes.world import ADA, BOB, EXECUTION, THREAD, World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OTHER = ExecutionId("m-1")
COMMIT = Commit(CommitSha("a" * 40), "token", "Add", ("a.py",), CommitSha("b" * 40))
TWO_MINUTES = timedelta(minutes=2)


@dataclass(frozen=True)
class Cast:
    """The ports a story is told to."""

    clock: ManualClock
    leases: ports.Leases
    sessions: ports.Sessions
    executions: ports.Executions
    reflections: ports.Reflections
    insights: ports.Insights
    journal: ports.Journal
    workspaces: ports.Workspaces
    run: RunState


def _fakes() -> Cast:
    world = World()
    run = world.requested(thread_id=THREAD)
    return Cast(
        world.clock, world.leases, world.sessions, world.executions, world.reflections, world.insights,
        world.journal, world.workspaces, replace(run, thread_id=THREAD),
    )  # fmt: skip


@pytest.fixture(scope="module")
def dynamodb() -> "Iterator[DynamoDBClient]":
    with data_plane() as endpoint:
        yield client("dynamodb", endpoint)


@pytest.fixture
def real(dynamodb: "DynamoDBClient") -> Iterator[Cast]:
    fakes = World()
    run = fakes.requested(thread_id=THREAD)
    create_tables(dynamodb)
    with buckets.bucket() as s3:
        store, clock = Store(dynamodb), ManualClock()
        sessions, executions = TABLES["sessions"].name, TABLES["executions"].name
        cast = Cast(
            clock,
            DynamoLeases(store, sessions, clock),
            DynamoSessions(store, sessions, clock),
            DynamoExecutions(store, executions, sessions, clock),
            DynamoReflections(store, sessions, clock),
            DynamoInsights(store, sessions, clock),
            S3Journal(s3, buckets.BUCKET),
            S3Workspaces(s3, buckets.BUCKET),
            replace(run, thread_id=THREAD),
        )
        cast.executions.create(fakes.row)
        yield cast
    for table in TABLES.values():
        dynamodb.delete_table(TableName=table.name)


type Said = list[object]


def _said(action: Callable[[], object]) -> object:
    """What an action gives back, or how it refuses."""
    try:
        return action()
    except AgentError as refusal:
        return type(refusal).__name__


def _a_thread_changes_hands(cast: Cast) -> Said:
    leases, sessions, executions = cast.leases, cast.sessions, cast.executions
    first = leases.acquire(THREAD, EXECUTION)
    said: Said = [
        first,
        _said(lambda: leases.acquire(THREAD, OTHER)),
        _said(lambda: leases.renew(THREAD, OTHER)),
        second := leases.renew(THREAD, EXECUTION),
        leases.holds(first),
        leases.holds(second),
        _said(lambda: sessions.update(THREAD, lease=first, dirty=True)),
        _said(lambda: executions.update(EXECUTION, lease=first, turns=1)),
        _said(lambda: sessions.update(THREAD, lease=second, dirty=True)),
        _said(lambda: executions.update(EXECUTION, lease=second, turns=2)),
        sessions.get(THREAD),
        executions.get(EXECUTION),
    ]
    leases.release(THREAD, EXECUTION, fence=first.fence)
    said.append(leases.holder(THREAD))
    leases.release(THREAD, OTHER)
    said.append(leases.holder(THREAD))
    leases.release(THREAD, EXECUTION, fence=second.fence)
    said += [leases.holder(THREAD), _said(lambda: leases.renew(THREAD, EXECUTION))]
    third: Lease = leases.acquire(THREAD, OTHER)
    cast.clock.pass_by(timedelta(hours=1))
    said += [third, leases.holder(THREAD), leases.holds(third), leases.acquire(THREAD, EXECUTION), leases.holds(third)]
    sessions.delete(THREAD)
    return [*said, leases.holder(THREAD), sessions.get(THREAD), leases.acquire(THREAD, OTHER)]


def _messages_wait(cast: Cast) -> Said:
    def item(number: int, kind: ItemKind = ItemKind.STEER) -> InboxItem:
        return InboxItem(THREAD, MessageId(str(number)), ADA, "Ada", f"text {number}", kind, cast.clock.now())

    sessions = cast.sessions
    said: Said = [
        sessions.put(item(100)),
        sessions.put(item(9)),
        sessions.put(item(100)),
        sessions.put(item(7, ItemKind.REQUEST)),
    ]
    said += [sessions.waiting(THREAD, ItemKind.STEER), sessions.waiting(THREAD, ItemKind.REQUEST)]
    said += [sessions.edit(THREAD, MessageId("9"), "new text"), sessions.edit(THREAD, MessageId("11"), "edited first")]
    said += [sessions.drop(THREAD, MessageId("12")), sessions.put(item(12)), sessions.put(item(11))]
    said.append(sessions.waiting(THREAD, ItemKind.STEER))
    sessions.remove(sessions.waiting(THREAD, ItemKind.STEER))
    return [
        *said,
        sessions.waiting(THREAD, ItemKind.STEER),
        sessions.put(item(100)),
        sessions.drop(THREAD, MessageId("7")),
    ]


def _people_vote(cast: Cast) -> Said:
    vote = cast.sessions.vote
    one, two = MessageId("1"), MessageId("2")
    votes = [
        (one, ADA, 15),
        (one, ADA, 15),
        (one, BOB, 15),
        (one, ADA, 0),
        (two, ADA, -20),
        (two, ADA, 15),
        (two, BOB, 0),
    ]
    return [vote(THREAD, message, user, value) for message, user, value in votes]


def _a_run_is_stopped_and_parked(cast: Cast) -> Said:
    executions = cast.executions
    said: Said = [
        executions.stop_requested(EXECUTION),
        _said(lambda: executions.unpark(EXECUTION)),
        _said(lambda: executions.park(EXECUTION, "token", "Which?")),
        _said(lambda: executions.unpark(EXECUTION)),
        _said(lambda: executions.unpark(EXECUTION)),
    ]
    cast.clock.pass_by(TWO_MINUTES)
    said += [
        _said(lambda: executions.unpark(EXECUTION)),
        executions.request_stop(EXECUTION, ADA),
        executions.request_stop(EXECUTION, BOB),
        executions.stop_requested(EXECUTION),
        executions.end(EXECUTION, Outcome.STOPPED),
    ]
    cast.clock.pass_by(TWO_MINUTES)
    return [
        *said,
        _said(lambda: executions.unpark(EXECUTION)),
        _said(lambda: executions.park(EXECUTION, "token", "Which?")),
        executions.get(EXECUTION),
    ]


def _a_run_ends(cast: Cast) -> Said:
    executions = cast.executions
    said: Said = [
        executions.end(EXECUTION, Outcome.DONE),
        executions.end(EXECUTION, Outcome.DONE),
        executions.end(EXECUTION, Outcome.FAILED),
        executions.get(EXECUTION),
    ]
    cast.clock.pass_by(TWO_MINUTES)
    said.append(executions.end(EXECUTION, Outcome.FAILED))
    executions.ended(EXECUTION, MessageId("1"))
    executions.ended(EXECUTION, MessageId("2"))
    cast.clock.pass_by(TWO_MINUTES)
    return [
        *said,
        executions.end(EXECUTION, Outcome.FAILED),
        executions.get(EXECUTION),
        _said(lambda: executions.end(OTHER, Outcome.DONE)),
        _said(lambda: executions.update(OTHER, turns=1)),
        executions.get(OTHER),
    ]


def _people_decide(cast: Cast) -> Said:
    executions = cast.executions
    approval = Approval(COMMIT, MessageId("1"), "token")

    def decide(decision: Decision, sha: CommitSha = COMMIT.sha) -> Callable[[], object]:
        return lambda: executions.decide(EXECUTION, sha, decision, ADA)

    said: Said = [_said(decide(Decision.MERGE)), _said(lambda: executions.await_decision(EXECUTION, approval))]
    said += [
        _said(decide(Decision.MERGE, CommitSha("c" * 40))),
        _said(decide(Decision.MERGE)),
        _said(decide(Decision.MERGE)),
    ]
    said.append(_said(lambda: executions.await_decision(EXECUTION, approval)))
    cast.clock.pass_by(TWO_MINUTES)
    return [*said, _said(decide(Decision.REJECT)), _said(decide(Decision.MERGE)), executions.get(EXECUTION)]


def _a_turn_is_journalled(cast: Cast) -> Said:
    journal, run, reply = cast.journal, cast.run, finishes()
    opening = ports.Context((Message(Role.USER, "go"),), turn=0)
    said: Said = [
        journal.load_context(run),
        journal.rounds(run, 1),
        _said(lambda: replace(journal.save_context(run, opening), version="")),
        _said(lambda: replace(journal.save_context(run, opening), version="")),
        _said(lambda: journal.record_reply(run, 1, 0, ports.JournaledRound(reply, opening.messages))),
        _said(lambda: journal.record_reply(run, 1, 0, ports.JournaledRound(reply))),
        journal.rounds(run, 1),
        _said(lambda: journal.record_results(run, 1, 0, (), None)),
        _said(lambda: journal.record_results(run, 1, 0, (), None)),
        journal.rounds(run, 1),
    ]
    loaded = journal.load_context(run)
    assert loaded is not None
    said += [
        replace(loaded, version=""),
        _said(lambda: replace(journal.save_context(run, replace(loaded, turn=1)), version="")),
        _said(lambda: replace(journal.save_context(run, replace(loaded, turn=2)), version="")),
    ]
    newest = journal.load_context(run)
    assert newest is not None
    return [*said, replace(newest, version="")]


def _something_is_learned(cast: Cast) -> Said:
    insights, here = cast.insights, shelf(GuildId("7"), THREAD)

    def taught(text: str, number: int) -> Insight:
        run = ExecutionId(f"m-{number}")
        at = cast.clock.now() + timedelta(seconds=number)
        return Insight(f"i{number}", text, at, THREAD, run, ADA, "https://git.example/a", "tests failed")

    said: Said = [
        insights.learn(here, taught("Read the whole traceback first", 1)),
        insights.learn(here, taught("first read the whole traceback", 2)),
        insights.learn(here, taught("First read the whole traceback", 2)),
        insights.learn(here, taught("n/a", 3)),
        _said(lambda: insights.edit(here, "i1", "First of all read the whole traceback", by=BOB)),
        _said(lambda: insights.edit(here, "i1", " ", by=BOB)),
        _said(lambda: insights.edit(here, "i9", "Anything", by=BOB)),
        *(insights.learn(here, taught(f"fact{number} about{number}", number)) for number in range(4, 24)),
        insights.list(here),
        insights.list(shelf(GuildId("8"), THREAD)),
        insights.forget(here, "i23", by=BOB),
        insights.forget(here, "i23", by=BOB),
        insights.learn(here, taught("about23 fact23", 24)),
        insights.list(here),
    ]
    reflections = cast.reflections
    lease = cast.leases.acquire(THREAD, EXECUTION)
    newer = cast.leases.renew(THREAD, EXECUTION)
    for number in range(7):
        at = cast.clock.now() + timedelta(seconds=number)
        reflection = Reflection(f"r{number}", at, EXECUTION, 50, what_failed=f"thing {number}")
        said += [
            _said(partial(reflections.add, THREAD, reflection, lease=lease)),
            _said(partial(reflections.add, THREAD, reflection, lease=newer)),
        ]
    return [
        *said,
        reflections.edit(THREAD, "r6", "Ask first.", by=BOB),
        reflections.edit(THREAD, "r0", "Ask first.", by=BOB),
        reflections.forget(THREAD, "r5"),
        reflections.forget(THREAD, "r5"),
        reflections.list(THREAD),
    ]


def _a_workspace_moves(cast: Cast) -> Said:
    workspaces = cast.workspaces
    said: Said = [workspaces.head(THREAD)]
    one = workspaces.add_files(THREAD, Manifest(), {"b.py": b"b", "a.py": b"a"})
    two = workspaces.add_files(THREAD, one, {"a.py": b"A"})
    said += [[entry.path for entry in one.files], workspaces.head(THREAD), one == two]
    head = workspaces.save(THREAD, one, expected=None)
    newer = workspaces.save(THREAD, two, expected=head)

    def save(manifest: Manifest, expected: Head | None) -> Callable[[], object]:
        return lambda: isinstance(workspaces.save(THREAD, manifest, expected=expected), Head)

    said += [_said(save(one, None)), _said(save(one, head)), workspaces.head(THREAD) == newer]
    said += [workspaces.load(THREAD, head.manifest_id) == one, workspaces.load(THREAD, newer.manifest_id) == two]
    said += [workspaces.read(THREAD, one, "a.py"), workspaces.read(THREAD, two, "a.py")]
    said += [_said(lambda: workspaces.read(THREAD, two, "gone.py"))]
    return [*said, _said(save(one, newer)), _said(save(two, head))]


@pytest.mark.parametrize(
    "story",
    [
        _a_thread_changes_hands,
        _messages_wait,
        _people_vote,
        _a_run_is_stopped_and_parked,
        _a_run_ends,
        _people_decide,
        _a_turn_is_journalled,
        _something_is_learned,
        _a_workspace_moves,
    ],
)
def test_the_fakes_answer_as_the_real_adapters_do(real: Cast, story: Callable[[Cast], Said]) -> None:
    assert story(_fakes()) == story(real)
