"""Task tokens without a state machine."""

import threading

import pytest

from devstack.aws.interpreter.tokens import ClosedToken, Failure, HeartbeatMissed, Success, TaskTokens, UnknownToken

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:machine:name"


def test_an_answer_before_the_wait_is_the_waits_result() -> None:
    task = TaskTokens().issue(EXECUTION)
    task.answer(Success("1"))
    assert task.wait(None) == Success("1")


def test_an_answer_wakes_a_wait_of_another_thread() -> None:
    task = TaskTokens().issue(EXECUTION)
    answers: list[object] = []
    waiting = threading.Thread(target=lambda: answers.append(task.wait(30)))
    waiting.start()
    task.answer(Failure("Own", "told to"))
    waiting.join(5)
    assert answers == [Failure("Own", "told to")]


def test_a_closed_task_gives_nothing_and_takes_nothing() -> None:
    task = TaskTokens().issue(EXECUTION)
    task.close()
    assert task.wait(None) is None
    with pytest.raises(ClosedToken):
        task.answer(Success("1"))
    with pytest.raises(ClosedToken):
        task.beat()


def test_a_missed_heartbeat_closes_the_token() -> None:
    tokens = TaskTokens()
    task = tokens.issue(EXECUTION)
    with pytest.raises(HeartbeatMissed):
        task.wait(0)
    with pytest.raises(ClosedToken):
        tokens.find(task.token).answer(Success("1"))


def test_a_token_of_an_earlier_process_is_closed_and_other_text_is_unknown() -> None:
    former = TaskTokens().issue(EXECUTION)
    tokens = TaskTokens()
    with pytest.raises(ClosedToken):
        tokens.find(former.token)
    for text in ("anything", "", "e30=", "{}"):
        with pytest.raises(UnknownToken):
            tokens.find(text)


def test_tokens_are_found_until_they_are_retired() -> None:
    tokens = TaskTokens()
    task, other = tokens.issue(EXECUTION), tokens.issue(EXECUTION)
    assert task.token != other.token
    assert tokens.find(task.token) is task
    tokens.retire(task)
    with pytest.raises(ClosedToken):
        tokens.find(task.token)
