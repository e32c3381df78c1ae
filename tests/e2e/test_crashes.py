"""Whatever dies, every request ends once, with one message, and nothing that was finished is done or paid again."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from devstack.aws.names import execution_arn
from devstack.discord.seed import GENERAL_ID, RANDOM_ID, WORKSHOP_ID
from devstack.options import Options
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.run import Outcome
from discord_agent.system import SYSTEM
from tests.support.story import SCRIPTS, Request, Story, repository, story, until

TALKATIVE = 300_000


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    script = tmp_path_factory.mktemp("script") / "crashes.yaml"
    script.write_text(yaml.safe_dump(with_a_talkative_run(SCRIPTS / "crashes.yaml")), encoding="utf-8")
    folder = repository(tmp_path_factory.mktemp("logs"), {"README.md": "# Logs\n"})
    options = Options(script=script, repository=folder, debounce_seconds=0, time_scale=0.1, visibility=4)
    with story(options) as told:
        yield told


def with_a_talkative_run(script: Path) -> dict[str, object]:
    """The script, and a run in which every text is longer than a state machine may carry."""
    data: dict[str, list[object]] = yaml.safe_load(script.read_text(encoding="utf-8"))
    long = "All work and no play. " * (TALKATIVE // 22)
    arguments = {"summary": long, "files": [f"{long[:4000]}{number}" for number in range(50)]}
    said = {
        "when": "write far too much",
        "content": long,
        "tool_calls": [{"function": {"name": "finish", "arguments": arguments}}],
    }
    plan = {
        "when": "write far too much",
        "content": {"topic_slug": long, "plan_content": long, "reformulated_prompt": long},
    }
    return {**data, "turn": [*data["turn"], said], "plan": [plan]}


def sleepers() -> int:
    return sum(process.info["cmdline"] == ["sleep", "541"] for process in psutil.process_iter(["cmdline"]))


def stop_from_outside(scene: Story, request: Request) -> None:
    arn = execution_arn(SYSTEM.machines["sequential_thinking"].physical_name, request.execution)
    scene.stack.aws.client("stepfunctions").stop_execution(executionArn=arn, cause="by an operator")


def paid(scene: Story, words: str) -> Counter[int]:
    """How many answered calls of the run each line of the script was paid for in."""
    return Counter(call.position for call in scene.calls("turn", words) if call.delivered and call.usage)


def test_a_turn_killed_during_a_command_goes_on_and_repeats_nothing(scene: Story) -> None:
    request = scene.ask("write while a command dies")
    until(lambda: sleepers() == 1)
    assert scene.stack.aws.kill("turn") > 0
    scene.stack.aws.kill("sandbox")
    record = request.ended()
    assert (record.outcome, request.terminal_messages, request.lease_is_free) == (Outcome.DONE, 1, True)
    assert request.read("log.txt") == "one\nthree\n"
    assert paid(scene, "write while a command dies") == {0: 1, 1: 1, 2: 1, 3: 1}
    told = scene.calls("turn", "write while a command dies")[2].messages[-1]["content"]
    assert told.startswith("Interrupted")
    until(lambda: sleepers() == 0)


def test_a_turn_killed_during_a_model_call_repeats_only_that_call(scene: Story) -> None:
    request = scene.ask("write while a call dies")
    until(lambda: request.rounds() == 1 and scene.unanswered == 1)
    assert scene.stack.aws.kill("turn") > 0
    record = request.ended()
    assert (record.outcome, request.terminal_messages) == (Outcome.DONE, 1)
    assert request.read("log.txt") == "one\ntwo\n"
    assert paid(scene, "write while a call dies") == {0: 1, 1: 1, 2: 1}


def test_a_killed_sandbox_is_told_to_the_model_and_the_run_goes_on(scene: Story) -> None:
    request = scene.ask("write while a command dies, again")
    until(lambda: sleepers() == 1)
    assert scene.stack.aws.kill("sandbox") > 0
    assert request.ended().outcome is Outcome.DONE
    assert request.read("log.txt") == "one\nthree\n"
    until(lambda: sleepers() == 0)


def test_what_is_written_while_the_bridge_is_dead_is_answered_afterwards(scene: Story) -> None:
    with scene.bridge_down():
        first = scene.ask("what is up?", channel=RANDOM_ID)
        second = scene.ask("what is up again?", channel=GENERAL_ID)
    for request in (first, second):
        until(lambda: request.has(lambda record: record.terminal_message_id))  # noqa: B023 - used within the round
        assert request.answer.endswith("All is well.")


def test_an_execution_stopped_from_outside_ends_with_one_message_and_a_free_thread(scene: Story) -> None:
    request = scene.ask("write for ever")
    until(lambda: request.rounds() == 1 and scene.unanswered == 1)
    stop_from_outside(scene, request)
    record = request.ended()
    assert (record.outcome, request.terminal_messages, request.lease_is_free) == (Outcome.FAILED, 1, True)
    assert "stopped from outside" in request.answer
    scene.stack.aws.kill("turn")

    message = scene.ada.say(request.thread, "write at once")
    again = scene.request(message, request.thread)
    until(lambda: again.has(lambda record: record.terminal_message_id))
    assert again.ended().outcome is Outcome.DONE


def test_a_model_that_says_far_too_much_ends_like_any_other(scene: Story) -> None:
    request = scene.ask("write far too much")
    record = request.ended()
    assert (record.outcome, request.terminal_messages, request.lease_is_free) == (Outcome.DONE, 1, True)
    assert request.machine_status == "SUCCEEDED"


def test_a_step_that_gives_back_too_much_ends_the_run_with_one_message(scene: Story) -> None:
    oversize = {"run": "x" * 400_000}
    scene.stack.faults.answer_next("evaluate", oversize)
    request = scene.ask("write at once, and then some")
    record = request.ended()
    assert (record.outcome, request.terminal_messages, request.lease_is_free) == (Outcome.FAILED, 1, True)
    assert request.machine_status == "FAILED"
    request.press("Try again")
    again = request.retried()
    until(lambda: again.has(lambda record: record.terminal_message_id))
    assert again.ended().outcome is Outcome.DONE


def test_poisoned_events_hold_up_nobody_else_and_the_author_is_told_once(scene: Story) -> None:
    malformed = {"id": "1", "channel_id": WORKSHOP_ID, "author": "ada", "content": 5}
    scene.discord.dispatch("MESSAGE_CREATE", malformed, channel_id=WORKSHOP_ID)
    no_json = {"MessageGroupId": "x", "MessageDeduplicationId": "x", "MessageBody": "}{"}
    scene.stack.aws.client("sqs").send_message(QueueUrl=scene.stack.aws.queue_url("messages"), **no_json)
    scene.stack.faults.fail_next("intake", "Runtime.ExitError", times=3, only=["write poison"])
    poison = scene.ask("write poison", channel=RANDOM_ID)

    question = scene.ask("what is up now?")
    until(lambda: question.has(lambda record: record.terminal_message_id))
    assert scene.stack.faults.left() > 0
    assert question.answer.endswith("All is well.")

    told = until(lambda: [shown for shown in scene.said(RANDOM_ID) if "could not process this" in shown.content])
    assert told[0].reference is not None
    assert (len(told), told[0].reference["message_id"]) == (1, poison.message)
    assert f"Reference: {poison.execution}" in told[0].content
    assert scene.records.leases.holder(ThreadId(RANDOM_ID)) is None
    until(lambda: [entry.kind for entry in scene.records.audit.entries(ThreadId(WORKSHOP_ID))] == ["event_failed"])
