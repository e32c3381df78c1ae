"""Runs that cannot end themselves: stopped or timed out from outside, too large, of the wrong shape, never started."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from devstack.discord.records import Message
from devstack.discord.seed import ADA_ID, GENERAL_ID
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ItemKind
from discord_agent.envelope import Envelope
from discord_agent.holdings import QUEUES
from tests.support.eventually import eventually
from tests.support.stage import Run, Stage

FAILED = ["❌ **Failed.**"]
COMPLETE = ["🏁 Execution Complete"]
TOO_LARGE = {"padding": "x" * 300_000}


def assert_failed_once(run: Run) -> None:
    assert (run.endings, run.holder) == (FAILED, None)
    assert run.record.outcome is Outcome.FAILED
    assert run.stage.faults.left(run.execution) == 0


@pytest.mark.parametrize("how", ["aborted", "expired"])
def test_an_execution_ended_from_outside_ends_in_one_message(stage: Stage, how: str) -> None:
    run = stage.ready(f"Write a short note until it is {how}")
    turn = stage.faults.hold_next("turn", only=(run.execution,))
    run.launch()
    turn.await_call()
    arn = stage.arn("sequential_thinking", run.execution)
    if how == "expired":
        stage.aws.expire(arn)
    else:
        stage.aws.client("stepfunctions").stop_execution(executionArn=arn, error="Console", cause="a person")
    story = run.ended()
    assert story.status == ("TIMED_OUT" if how == "expired" else "ABORTED")
    assert story.states == ["Prepare", "Plan", "Turn"]
    assert_failed_once(run)
    # The step that was under way comes too late to change anything.
    before = (run.record, run.session)
    turn.open()
    turn.await_end()
    assert_failed_once(run)
    assert (run.record, run.session) == before


def test_a_parked_run_that_is_aborted_ends_in_one_message_and_leaves_the_thread_free(stage: Stage) -> None:
    run = stage.start("Write a note after a question until it is aborted")
    run.asked()
    arn = stage.arn("sequential_thinking", run.execution)
    stage.aws.client("stepfunctions").stop_execution(executionArn=arn)
    assert run.ended().status == "ABORTED"
    assert_failed_once(run)
    assert run.session.parked is None


def test_a_step_whose_answer_is_too_large_ends_in_one_message(stage: Stage) -> None:
    run = stage.ready("Write a short note with too large a plan")
    stage.faults.answer_next("plan", TOO_LARGE, only=(run.execution,))
    run.launch()
    story = run.ended()
    assert (story.status, story.error) == ("FAILED", "States.DataLimitExceeded")
    assert story.states == ["Prepare", "Plan"]
    assert_failed_once(run)


def test_a_model_that_says_too_much_makes_no_step_too_large(stage: Stage) -> None:
    run = stage.start("Write a verbose note")
    assert run.ended().status == "SUCCEEDED"
    assert (run.endings, run.holder) == (COMPLETE, None)


def test_an_answer_that_no_expression_can_work_with_ends_in_one_message(stage: Stage) -> None:
    run = stage.ready("Write a short note with a plan of the wrong shape")
    stage.faults.answer_next("plan", "no run", only=(run.execution,))
    run.launch()
    story = run.ended()
    assert (story.status, story.error) == ("FAILED", "States.QueryEvaluationError")
    assert story.states == ["Prepare", "Plan", "Turn"]
    assert_failed_once(run)


NOBODY = {
    "messages": Envelope.of_dispatch("TYPING_START", {"channel_id": "1"}, datetime.now(UTC)).write(),
    "wakeups": json.dumps({"thread_id": "1", "author_id": "1", "message_id": "1"}),
}
"""Messages that come to nothing."""


@contextmanager
def quick_redelivery(stage: Stage, queue: str) -> Iterator[None]:
    """Messages that failed come back after a second."""
    set_visibility(stage, queue, 1)
    yield
    set_visibility(stage, queue, QUEUES[queue].visibility)


def set_visibility(stage: Stage, queue: str, seconds: int) -> None:
    """Change a queue's visibility timeout, and end the long poll that began with the old one."""
    sqs, url = stage.aws.client("sqs"), stage.aws.queue_url(queue)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
    group = {"MessageGroupId": "1", "MessageDeduplicationId": uuid.uuid4().hex} if QUEUES[queue].fifo else {}
    sqs.send_message(QueueUrl=url, MessageBody=NOBODY[queue], **group)
    await_empty(stage, queue)


def await_empty(stage: Stage, *queues: str) -> None:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def is_empty() -> bool:
        attributes = [
            stage.aws.client("sqs").get_queue_attributes(QueueUrl=stage.aws.queue_url(queue), AttributeNames=names)
            for queue in queues
        ]
        return all(value == "0" for answer in attributes for value in answer["Attributes"].values())

    eventually(is_empty, seconds=20, pause=0.05)


def replies(stage: Stage, message: str) -> list[Message]:
    return [post for post in stage.discord.messages(GENERAL_ID) if (post.reference or {}).get("message_id") == message]


def test_a_message_that_no_attempt_can_process_is_answered_once(stage: Stage) -> None:
    stage.faults.fail_next("intake", "RuntimeError", times=QUEUES["messages"].max_receives, only=("poisonous",))
    with quick_redelivery(stage, "messages"):
        text = f"<@{stage.discord.bot_id}> write a poisonous note"
        message = stage.discord.post(ADA_ID, GENERAL_ID, text).id
        eventually(lambda: replies(stage, message), seconds=20, pause=0.05)
        await_empty(stage, "messages", "messages-dead")
    assert ["I could not process this message" in reply.content for reply in replies(stage, message)] == [True]
    assert stage.faults.left() == 0


def test_an_event_that_nobody_can_read_is_put_aside_alone(stage: Stage) -> None:
    with quick_redelivery(stage, "messages"):
        stage.aws.client("sqs").send_message(
            QueueUrl=stage.aws.queue_url("messages"),
            MessageBody="no envelope",
            MessageGroupId=GENERAL_ID,
            MessageDeduplicationId="no envelope",
        )
        run = stage.say("write a short note behind an unreadable event")
        assert run.ended().status == "SUCCEEDED"
        await_empty(stage, "messages", "messages-dead")
    assert (run.endings, run.holder) == (COMPLETE, None)


def test_a_request_that_no_attempt_can_classify_is_answered_once_and_waits_no_longer(stage: Stage) -> None:
    with quick_redelivery(stage, "wakeups"):
        stage.faults.fail_next("classify", "RuntimeError", times=QUEUES["wakeups"].max_receives)
        lost = stage.say("write a short note that nobody can classify")
        eventually(lambda: replies(stage, lost.message), seconds=20, pause=0.05)
        await_empty(stage, "wakeups", "wakeups-dead")
    assert ["I could not start on this" in reply.content for reply in replies(stage, lost.message)] == [True]
    assert not stage.sessions.waiting(ThreadId(GENERAL_ID), ItemKind.REQUEST)
    assert stage.executions.get(lost.execution) is None
    assert stage.faults.left() == 0
