from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from discord_agent.adapters.dynamodb.executions import KEPT, TAKEOVER, DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.domain.classification import FlowType
from discord_agent.domain.errors import Conflict, LeaseLost
from discord_agent.domain.ids import ChannelId, CommitSha, ExecutionId, ManifestId, MessageId, ThreadId, UserId
from discord_agent.domain.money import Cost, Usage, Usd
from discord_agent.domain.run import Commit, Outcome
from discord_agent.domain.session import Approval, Decision, ExecutionRecord, ExecutionStatus
from discord_agent.holdings import TABLES
from tests.support.clock import ManualClock
from tests.support.values import values_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ADA, BOB = UserId("11"), UserId("12")
SHA = CommitSha("a" * 40)
APPROVAL = Approval(Commit(SHA, "jwt", "Use JWT", ("auth.py",), CommitSha("b" * 40)), MessageId("77"), "token-1")


@pytest.fixture
def row(executions: DynamoExecutions, thread: ThreadId, clock: ManualClock) -> ExecutionRecord:
    record = ExecutionRecord(
        ExecutionId(f"m-{thread}"),
        thread,
        ChannelId("3"),
        MessageId(thread),
        ADA,
        "ada",
        FlowType.SEQUENTIAL,
        "use JWT",
        clock.now(),
    )
    assert executions.create(record)
    return record


def _stored(executions: DynamoExecutions, row: ExecutionRecord) -> ExecutionRecord:
    found = executions.get(row.execution_id)
    assert found is not None
    return found


def _winners(attempt: Callable[[int], object]) -> int:
    """How many of 16 simultaneous attempts do not end in a Conflict or False."""
    together = Barrier(16)

    def contend(number: int) -> bool:
        together.wait(timeout=10)
        try:
            return attempt(number) is not False
        except Conflict:
            return False

    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(contend, range(16)))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(record=values_of(ExecutionRecord))
def test_any_row_comes_back_as_it_was_stored(
    executions: DynamoExecutions, new_thread: Callable[[], ThreadId], record: ExecutionRecord
) -> None:
    thread = new_thread()
    record = replace(record, thread_id=thread, execution_id=ExecutionId(f"m-{thread}"))
    assert executions.create(record)
    assert executions.get(record.execution_id) == record


def test_a_redelivered_request_creates_no_second_row(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    assert not executions.create(replace(row, request="something else"))
    assert _stored(executions, row) == row


def test_rows_live_thirty_days(executions: DynamoExecutions, row: ExecutionRecord, dynamodb: "DynamoDBClient") -> None:
    item = dynamodb.get_item(TableName=TABLES["executions"].name, Key={"execution_id": {"S": row.execution_id}})["Item"]
    assert item["ttl"]["N"] == str(int((row.created_at + KEPT).timestamp()))


def test_there_is_no_row_nobody_created(executions: DynamoExecutions) -> None:
    assert executions.get(ExecutionId("m-0")) is None
    assert not executions.stop_requested(ExecutionId("m-0"))


def test_the_newest_rows_of_a_thread_come_first(
    executions: DynamoExecutions, row: ExecutionRecord, clock: ManualClock
) -> None:
    later = []
    for number in range(3):
        clock.pass_by(timedelta(milliseconds=1))
        later.append(replace(row, execution_id=ExecutionId(f"{row.execution_id}-r{number}"), created_at=clock.now()))
        executions.create(later[-1])
    assert executions.newest(row.thread_id, limit=3) == tuple(reversed(later))
    assert executions.newest(ThreadId("0")) == ()


def test_fields_are_set_by_name_and_cleared_by_none(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    changes: dict[str, Any] = {
        "turns": 3,
        "usage": Usage(10, 4, 2),
        "cost": Cost(Usd(Decimal("0.0012"))),
        "manifest_id": ManifestId("f" * 64),
        "card_message_id": MessageId("9"),
        "status": ExecutionStatus.PROCESSING,
    }
    executions.update(row.execution_id, **changes)
    assert _stored(executions, row) == replace(row, **changes)
    executions.update(row.execution_id, card_message_id=None)
    assert _stored(executions, row).card_message_id is None


def test_a_field_that_does_not_exist_is_refused(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    with pytest.raises(TypeError):
        executions.update(row.execution_id, colour="red")
    with pytest.raises(TypeError):
        executions.update(row.execution_id, execution_id="m-2")


def test_an_update_makes_no_row(executions: DynamoExecutions) -> None:
    with pytest.raises(Conflict):
        executions.update(ExecutionId("m-0"), turns=1)
    assert executions.get(ExecutionId("m-0")) is None


def test_only_the_newest_attempt_writes_under_a_lease(
    executions: DynamoExecutions, leases: DynamoLeases, row: ExecutionRecord
) -> None:
    older = leases.acquire(row.thread_id, row.execution_id)
    newer = leases.renew(row.thread_id, row.execution_id)
    with pytest.raises(LeaseLost):
        executions.update(row.execution_id, lease=older, turns=1)
    executions.update(row.execution_id, lease=newer, turns=2)
    assert _stored(executions, row).turns == 2


def test_of_sixteen_who_ask_to_stop_one_is_the_first(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    assert not executions.stop_requested(row.execution_id)
    assert _winners(lambda number: executions.request_stop(row.execution_id, UserId(str(number)))) == 1
    assert executions.stop_requested(row.execution_id)


def test_a_run_that_has_ended_cannot_be_stopped(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    executions.end(row.execution_id, Outcome.DONE)
    assert not executions.request_stop(row.execution_id, ADA)
    assert not executions.request_stop(ExecutionId("m-0"), ADA)


def test_of_sixteen_answers_to_a_parked_run_one_takes_the_token(
    executions: DynamoExecutions, row: ExecutionRecord
) -> None:
    executions.park(row.execution_id, "token-1", "Which one?")
    parked = _stored(executions, row)
    assert (parked.status, parked.question) == (ExecutionStatus.PARKED, "Which one?")
    assert _winners(lambda number: executions.unpark(row.execution_id)) == 1
    assert _stored(executions, row).status is ExecutionStatus.PROCESSING


def test_a_retried_park_replaces_the_token(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    executions.park(row.execution_id, "token-1", "Which one?")
    executions.park(row.execution_id, "token-2", "Which one?")
    assert executions.unpark(row.execution_id) == "token-2"


def test_a_token_whose_taker_died_may_be_taken_again_after_a_minute(
    executions: DynamoExecutions, row: ExecutionRecord, clock: ManualClock
) -> None:
    executions.park(row.execution_id, "token-1", "Which one?")
    executions.unpark(row.execution_id)
    clock.pass_by(TAKEOVER)
    assert executions.unpark(row.execution_id) == "token-1"
    with pytest.raises(Conflict):
        executions.unpark(row.execution_id)


def test_a_run_parked_again_gives_its_new_token(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    executions.park(row.execution_id, "token-1", "Which one?")
    executions.unpark(row.execution_id)
    executions.park(row.execution_id, "token-2", "Really?")
    assert executions.unpark(row.execution_id) == "token-2"


def test_a_run_that_is_not_parked_or_has_ended_has_no_token(
    executions: DynamoExecutions, row: ExecutionRecord, clock: ManualClock
) -> None:
    with pytest.raises(Conflict):
        executions.unpark(row.execution_id)
    executions.park(row.execution_id, "token-1", "Which one?")
    executions.end(row.execution_id, Outcome.STOPPED)
    clock.pass_by(TAKEOVER)
    with pytest.raises(Conflict):
        executions.unpark(row.execution_id)
    with pytest.raises(Conflict):
        executions.park(row.execution_id, "token-2", "Which one?")


def test_of_sixteen_decisions_one_is_recorded(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    executions.await_decision(row.execution_id, APPROVAL)
    decisions = (Decision.MERGE, Decision.REJECT)
    assert _winners(lambda n: executions.decide(row.execution_id, SHA, decisions[n % 2], UserId(str(n)))) == 1
    approval = _stored(executions, row).approval
    assert approval is not None
    assert approval.decision in decisions


def test_a_decision_gives_the_token_and_is_recorded_with_its_person(
    executions: DynamoExecutions, row: ExecutionRecord
) -> None:
    executions.await_decision(row.execution_id, APPROVAL)
    assert executions.decide(row.execution_id, SHA, Decision.MERGE, ADA) == "token-1"
    assert _stored(executions, row).approval == replace(APPROVAL, decision=Decision.MERGE, decided_by=ADA)
    with pytest.raises(Conflict):
        executions.decide(row.execution_id, SHA, Decision.MERGE, ADA)
    with pytest.raises(Conflict):
        executions.await_decision(row.execution_id, replace(APPROVAL, task_token="token-2"))


class _Eventful(ManualClock):
    """A clock that lets something happen the first time it is asked."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = [happens]

    def now(self) -> datetime:
        while self._happens:
            self._happens.pop()()
        return super().now()


def test_a_decision_made_while_its_machine_begins_to_wait_is_recorded_with_the_new_token(
    executions: DynamoExecutions, row: ExecutionRecord
) -> None:
    executions.await_decision(row.execution_id, replace(APPROVAL, task_token=""))
    clock = _Eventful(lambda: executions.await_decision(row.execution_id, APPROVAL))
    overtaken = replace(executions, clock=clock)
    assert overtaken.decide(row.execution_id, SHA, Decision.MERGE, ADA) == "token-1"
    assert _stored(executions, row).approval == replace(APPROVAL, decision=Decision.MERGE, decided_by=ADA)


def test_a_decision_about_another_commit_is_refused(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    with pytest.raises(Conflict):
        executions.decide(row.execution_id, SHA, Decision.MERGE, ADA)
    executions.await_decision(row.execution_id, APPROVAL)
    with pytest.raises(Conflict):
        executions.decide(row.execution_id, CommitSha("c" * 40), Decision.MERGE, ADA)
    assert _stored(executions, row).approval == APPROVAL


def test_a_retried_wait_for_a_decision_replaces_the_token(executions: DynamoExecutions, row: ExecutionRecord) -> None:
    executions.await_decision(row.execution_id, APPROVAL)
    executions.await_decision(row.execution_id, replace(APPROVAL, task_token="token-2"))
    assert executions.decide(row.execution_id, SHA, Decision.EXPIRE, None) == "token-2"


def test_only_the_very_same_decision_may_be_repeated_after_a_minute(
    executions: DynamoExecutions, row: ExecutionRecord, clock: ManualClock
) -> None:
    executions.await_decision(row.execution_id, APPROVAL)
    executions.decide(row.execution_id, SHA, Decision.MERGE, ADA)
    clock.pass_by(TAKEOVER)
    for decision, by in ((Decision.REJECT, ADA), (Decision.MERGE, BOB), (Decision.MERGE, None)):
        with pytest.raises(Conflict):
            executions.decide(row.execution_id, SHA, decision, by)
    assert executions.decide(row.execution_id, SHA, Decision.MERGE, ADA) == "token-1"


def test_nothing_waits_for_a_decision_on_a_run_that_does_not_exist(executions: DynamoExecutions) -> None:
    with pytest.raises(Conflict):
        executions.await_decision(ExecutionId("m-0"), APPROVAL)


def test_of_simultaneous_attempts_to_end_a_run_differently_one_outcome_wins(
    executions: DynamoExecutions, row: ExecutionRecord
) -> None:
    won: set[Outcome] = set()
    outcomes = list(Outcome)

    def end(number: int) -> bool:
        outcome = outcomes[number % len(outcomes)]
        claimed = executions.end(row.execution_id, outcome)
        if claimed:
            won.add(outcome)
        return claimed

    assert _winners(end) >= 1
    assert won == {_stored(executions, row).outcome}


def test_an_attempt_that_died_before_posting_may_claim_the_same_outcome_again_at_once(
    executions: DynamoExecutions, row: ExecutionRecord, clock: ManualClock
) -> None:
    assert executions.end(row.execution_id, Outcome.DONE)
    assert executions.end(row.execution_id, Outcome.DONE)
    assert _stored(executions, row) == replace(
        row, status=ExecutionStatus.COMPLETED, outcome=Outcome.DONE, completed_at=clock.now()
    )


def test_a_claim_that_led_to_no_message_may_be_taken_over_after_a_minute(
    executions: DynamoExecutions, row: ExecutionRecord, clock: ManualClock
) -> None:
    assert executions.end(row.execution_id, Outcome.DONE)
    clock.pass_by(TAKEOVER - timedelta(microseconds=1))
    assert not executions.end(row.execution_id, Outcome.FAILED)
    clock.pass_by(timedelta(microseconds=1))
    assert executions.end(row.execution_id, Outcome.FAILED)
    assert _stored(executions, row).outcome is Outcome.FAILED


def test_a_run_with_its_terminal_message_never_ends_again(
    executions: DynamoExecutions, row: ExecutionRecord, clock: ManualClock
) -> None:
    assert executions.end(row.execution_id, Outcome.DONE)
    executions.ended(row.execution_id, MessageId("500"))
    executions.ended(row.execution_id, MessageId("501"))
    clock.pass_by(timedelta(days=1))
    assert not executions.end(row.execution_id, Outcome.FAILED)
    ended = _stored(executions, row)
    assert (ended.outcome, ended.terminal_message_id) == (Outcome.DONE, MessageId("500"))


def test_a_run_without_a_row_cannot_be_ended_in_silence(executions: DynamoExecutions) -> None:
    with pytest.raises(Conflict):
        executions.end(ExecutionId("m-0"), Outcome.FAILED)
