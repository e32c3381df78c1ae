from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from discord_agent.adapters.dynamodb.leases import DURATION, DynamoLeases
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.domain.errors import Conflict, LeaseLost
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.domain.session import Lease
from tests.support.clock import ManualClock

ONE, TWO = ExecutionId("m-1"), ExecutionId("m-2")


def test_of_sixteen_runs_that_start_at_once_exactly_one_gets_the_thread(leases: DynamoLeases, thread: ThreadId) -> None:
    together = Barrier(16)

    def contend(number: int) -> Lease | None:
        together.wait(timeout=10)
        try:
            return leases.acquire(thread, ExecutionId(f"m-{number}"))
        except Conflict:
            return None

    with ThreadPoolExecutor(16) as pool:
        winners = [lease for lease in pool.map(contend, range(16)) if lease]
    assert [lease.fence for lease in winners] == [1]
    assert leases.holder(thread) == winners[0].owner


def test_a_lease_tells_its_owner_fence_and_expiry(leases: DynamoLeases, thread: ThreadId, clock: ManualClock) -> None:
    assert leases.acquire(thread, ONE) == Lease(thread, ONE, 1, clock.now() + DURATION)


def test_nobody_holds_a_thread_that_was_never_taken(leases: DynamoLeases, thread: ThreadId) -> None:
    assert leases.holder(thread) is None


def test_a_held_thread_is_refused_until_the_lease_expires(
    leases: DynamoLeases, thread: ThreadId, clock: ManualClock
) -> None:
    leases.acquire(thread, ONE)
    clock.pass_by(DURATION - timedelta(microseconds=1))
    with pytest.raises(Conflict):
        leases.acquire(thread, TWO)
    assert leases.holder(thread) == ONE
    clock.pass_by(timedelta(microseconds=1))
    assert leases.holder(thread) is None
    assert leases.acquire(thread, TWO).fence == 2


def test_the_fence_grows_with_every_acquisition_and_renewal_and_survives_a_release(
    leases: DynamoLeases, thread: ThreadId
) -> None:
    fences = [leases.acquire(thread, ONE).fence, leases.renew(thread, ONE).fence, leases.acquire(thread, ONE).fence]
    leases.release(thread, ONE)
    fences.append(leases.acquire(thread, TWO).fence)
    assert fences == [1, 2, 3, 4]


def test_of_two_overlapping_attempts_of_a_step_only_the_newer_holds_the_lease(
    leases: DynamoLeases, thread: ThreadId
) -> None:
    leases.acquire(thread, ONE)
    older = leases.renew(thread, ONE)
    newer = leases.renew(thread, ONE)
    assert not leases.holds(older)
    assert leases.holds(newer)


def test_a_run_whose_expired_lease_was_taken_cannot_renew_it(
    leases: DynamoLeases, thread: ThreadId, clock: ManualClock
) -> None:
    lost = leases.acquire(thread, ONE)
    clock.pass_by(DURATION)
    leases.acquire(thread, TWO)
    with pytest.raises(LeaseLost):
        leases.renew(thread, ONE)
    assert not leases.holds(lost)


def test_a_run_may_renew_its_expired_lease_while_nobody_took_it(
    leases: DynamoLeases, thread: ThreadId, clock: ManualClock
) -> None:
    leases.acquire(thread, ONE)
    clock.pass_by(DURATION * 2)
    assert leases.renew(thread, ONE).expires_at == clock.now() + DURATION


def test_a_released_lease_cannot_be_renewed_by_a_late_attempt(leases: DynamoLeases, thread: ThreadId) -> None:
    leases.acquire(thread, ONE)
    leases.release(thread, ONE)
    with pytest.raises(LeaseLost):
        leases.renew(thread, ONE)


def test_only_the_owner_releases(leases: DynamoLeases, thread: ThreadId) -> None:
    lease = leases.acquire(thread, ONE)
    leases.release(thread, TWO)
    assert leases.holds(lease)
    leases.release(thread, ONE)
    leases.release(thread, ONE)
    assert leases.holder(thread) is None
    assert not leases.holds(lease)


def test_a_late_attempt_does_not_release_what_a_newer_one_renewed(leases: DynamoLeases, thread: ThreadId) -> None:
    older = leases.acquire(thread, ONE)
    newer = leases.renew(thread, ONE)
    leases.release(thread, ONE, fence=older.fence)
    assert leases.holds(newer)
    leases.release(thread, ONE, fence=newer.fence)
    assert leases.holder(thread) is None


def test_forgetting_a_thread_takes_the_lease_away_without_lowering_the_fence(
    leases: DynamoLeases, sessions: DynamoSessions, thread: ThreadId
) -> None:
    lease = leases.acquire(thread, ONE)
    sessions.delete(thread)
    assert not leases.holds(lease)
    with pytest.raises(LeaseLost):
        leases.renew(thread, ONE)
    assert leases.acquire(thread, ONE).fence > lease.fence
