"""What people say, ask, upload and get back; and what happens when the model makes no sense."""

import json
from collections.abc import Iterator
from copy import replace
from datetime import datetime

import pytest

from devstack.discord.seed import GENERAL_ID, GUILD_ID, RANDOM_ID, WORKSHOP_ID
from discord_agent.domain.classification import FlowType
from discord_agent.domain.ids import ChannelId, GuildId, ThreadId
from discord_agent.domain.policy import ChannelSettings
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ExecutionStatus
from tests.support.story import IN_PROCESS, MENTION, SCRIPTS, Request, Story, repository, story, until


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = repository(tmp_path_factory.mktemp("words"), {"README.md": "# Words\n"})
    with story(replace(IN_PROCESS, script=SCRIPTS / "conversation.yaml", repository=folder)) as told:
        sessions, guild = told.records.sessions, GuildId(GUILD_ID)
        patient = ChannelSettings(ChannelId(WORKSHOP_ID), debounce_seconds=2)
        sessions.put_settings(guild, replace(sessions.settings(guild), channels=(patient,)))
        yield told


def uploads(scene: Story, request: Request) -> dict[str, bytes]:
    """The files with the terminal message, by name."""
    described = [scene.discord.parts.payloads.attachment(each) for each in request.ending.attachments]
    return {file["filename"]: scene.download(file["id"]) for file in described}


def parked(request: Request) -> None:
    until(lambda: request.has(lambda record: record.status is ExecutionStatus.PARKED))
    until(lambda: any("Clarification Needed" in str(shown.embeds) for shown in request.story.said(request.thread)))


def test_a_question_is_answered_in_place_and_chatter_is_left_alone(scene: Story) -> None:
    chatter = scene.ada.say(RANDOM_ID, "lunch, anybody?")
    request = scene.ask("what is async/await?", channel=RANDOM_ID)
    record = request.ended()
    assert (record.flow, record.outcome) == (FlowType.SIMPLE, Outcome.DONE)
    assert record.thread_id == RANDOM_ID
    assert request.answer.endswith("It lets a program wait without standing still.")
    assert request.ending.reference is not None
    assert request.ending.reference["message_id"] == request.message
    assert [shown.id for shown in scene.said(RANDOM_ID)] == [request.ending.id]
    assert scene.reactions(RANDOM_ID, request.message) == {"👀"}
    assert scene.reactions(RANDOM_ID, chatter) == set()


def test_in_its_thread_the_bot_answers_unasked_but_not_a_bare_thanks(scene: Story) -> None:
    first = scene.ask("write an enum")
    assert first.ended().outcome is Outcome.DONE
    assert first.answer.startswith("I am a script for conversations.") or "Done with enums." in first.answer
    thanks = scene.ada.say(first.thread, "thanks!")
    until(lambda: "ignored" in [entry.kind for entry in scene.records.audit.entries(ThreadId(first.thread))])
    second = scene.request(scene.ada.say(first.thread, "write without a plan"), first.thread)
    until(lambda: second.has(lambda record: record.terminal_message_id))
    assert "Done without a plan." in second.answer
    assert not scene.request(thanks, first.thread).has(lambda record: True)


def test_values_that_no_enum_knows_fall_back_to_defaults(scene: Story) -> None:
    request = scene.ask("write an enum")
    record = request.ended()
    assert record.classification is not None
    assert (record.classification.task_type, record.classification.role) == ("coding-implementation", "python-coder")
    assert (record.classification.complexity, record.outcome) == ("medium", Outcome.DONE)
    assert "enums-co" in str(request.card.embeds)


def test_a_planner_without_a_valid_plan_costs_the_plan_and_not_the_run(scene: Story) -> None:
    request = scene.ask("write without a plan")
    assert request.ended().outcome is Outcome.DONE
    assert "plan_failed" in request.events
    asked = [
        call for call in scene.calls("plan", "write without a plan") if not call.messages[1]["content"].count("thanks")
    ]
    assert "That reply cannot be used" in asked[-1].messages[-1]["content"]


def test_a_decider_that_makes_no_sense_is_replaced_by_rules(scene: Story) -> None:
    request = scene.ask("nonsense, or is it?", channel=RANDOM_ID)
    assert request.ended().outcome is Outcome.DONE
    assert request.answer.endswith("I answer anyway.")


def test_what_is_said_during_a_run_is_heard_by_its_model(scene: Story) -> None:
    request = scene.ask("write a colourful note")
    until(lambda: request.has(lambda record: record.card_message_id) and "🔧 Running" in str(request.card.embeds))
    hint = scene.ada.say(request.thread, "make it blue, please")
    assert request.ended().outcome is Outcome.DONE
    assert scene.reactions(request.thread, hint) == {"👀"}
    heard = scene.calls("turn", "make it blue, please")
    assert heard[0].position == 1
    assert "While you worked, a person wrote this" in heard[0].messages[-1]["content"]
    assert not scene.request(hint, request.thread).has(lambda record: True)


def test_a_question_parks_the_run_until_any_message_answers_it(scene: Story) -> None:
    request = scene.ask("write in a language")
    parked(request)
    assert request.lease_is_free
    answer = scene.linus.say(request.thread, "French would be nice")
    assert request.ended().outcome is Outcome.DONE
    assert scene.reactions(request.thread, answer) == {"👀"}
    assert "French would be nice" in scene.calls("turn", "French would be nice")[0].messages[-1]["content"]
    assert request.terminal_messages == 1


def test_an_option_of_a_question_is_answered_by_its_button(scene: Story) -> None:
    request = scene.ask("write in a language")
    parked(request)
    request.press("Esperanto")
    assert request.ended().outcome is Outcome.DONE
    assert "Esperanto" in scene.calls("turn", "2. Esperanto")[0].messages[-1]["content"]
    question = next(shown for shown in scene.said(request.thread) if "Which language" in str(shown.embeds))
    assert question.components == ()


def test_an_upload_is_there_before_the_run_and_a_marked_file_comes_back(scene: Story) -> None:
    message = scene.ada.upload(GENERAL_ID, f"{MENTION} change the upload", "words.txt", b"quiet words\n")
    request = scene.request(message, GENERAL_ID)
    until(lambda: request.has(lambda record: record.terminal_message_id))
    assert request.ended().outcome is Outcome.DONE
    assert uploads(scene, request)["loud.txt"] == b"QUIET WORDS\n"
    assert "📎 **loud.txt**" in request.answer
    with scene.git() as clone:
        assert (
            clone("ls-tree", "-r", "--name-only", f"origin/{request.committed().commit.branch}")
            == "README.md\nloud.txt"
        )


def test_an_upload_that_is_too_large_is_refused_and_the_run_goes_on(scene: Story) -> None:
    text = f"{MENTION} write about what was too large"
    message = scene.ada.upload(GENERAL_ID, text, "film.bin", bytes(26 * 1024 * 1024))
    request = scene.request(message, GENERAL_ID)
    until(lambda: request.has(lambda record: record.terminal_message_id))
    assert request.ended().outcome is Outcome.DONE
    notes = [shown.content for shown in scene.said(request.thread)]
    assert [note for note in notes if "film.bin" in note and "25 MB" in note]


def test_nothing_outside_the_workspace_is_read_or_sent(scene: Story) -> None:
    request = scene.ask("write out of the box")
    assert request.ended().outcome is Outcome.DONE
    assert uploads(scene, request) == {}
    assert "<<../../etc/passwd>> and <</etc/passwd>>" in request.answer
    shown = "".join(str(message.content) for message in scene.said(request.thread))
    assert "root:" not in shown
    read = scene.calls("turn", "write out of the box")[1].messages[-1]["content"]
    assert "root:" not in read


def test_wrong_calls_of_tools_are_explained_to_the_model_and_harm_nothing(scene: Story) -> None:
    request = scene.ask("write clumsily")
    assert request.ended().outcome is Outcome.DONE
    complaints = [message["content"] for message in scene.calls("turn", "write clumsily")[1].messages[-4:]]
    assert all("root" not in complaint for complaint in complaints)
    assert "path" in complaints[0]
    assert "JSON" in complaints[1]
    assert "fly" in complaints[2]
    assert "offset" in complaints[3]
    assert request.read("x.txt") == "At last.\n"


def test_quick_messages_are_one_request_and_may_be_changed_while_they_wait(scene: Story) -> None:
    first = scene.ada.say(WORKSHOP_ID, f"{MENTION} write slowly")
    second = scene.ada.say(WORKSHOP_ID, "and with care")
    third = scene.ada.say(WORKSHOP_ID, f"{MENTION} not this")
    scene.ada.edit(WORKSHOP_ID, first, f"{MENTION} write edited")
    scene.ada.delete(WORKSHOP_ID, third)
    fourth = scene.ask("and in time", channel=WORKSHOP_ID)
    record = fourth.ended()
    assert "write edited" in record.request
    assert "slowly" not in record.request
    assert "not this" not in record.request
    assert record.request.endswith("and in time")
    assert not any(scene.request(each, WORKSHOP_ID).has(lambda record: True) for each in (first, second, third))


def test_a_model_that_is_down_gives_one_clear_failure_and_retry_works_once_it_is_back(scene: Story) -> None:
    with scene.model_down():
        request = scene.ask("what is down?", channel=RANDOM_ID)
        record = request.ended()
        assert (record.outcome, request.terminal_messages) == (Outcome.FAILED, 1)
        assert "did not answer" in request.answer
    request.press("Try again")
    again = request.retried()
    until(lambda: again.has(lambda record: record.terminal_message_id))
    assert again.ended().outcome is Outcome.DONE
    assert again.answer.endswith("I am up again.")


def test_an_operator_finds_the_records_of_a_run_by_query_and_receive(scene: Story) -> None:
    request = scene.ask("write an enum")
    request.ended()
    thread = request.thread
    rows = scene.stack.aws.client("dynamodb").query(
        TableName="discord-messages",
        KeyConditionExpression="pk = :threadId",
        ExpressionAttributeValues={":threadId": {"S": thread}},
    )["Items"]
    kinds = [row["eventType"]["S"] for row in rows if row.get("executionId", {}).get("S") == request.execution]
    assert kinds[0] == "execution_started"
    assert kinds[-1] == "execution_completed"
    assert {"plan", "round", "turn", "evaluation"} < set(kinds)
    assert all({"pk", "sk", "timestamp", "ttl"} <= row.keys() for row in rows)

    found: dict[str, dict[str, object]] = {}

    def received() -> bool:
        answer = scene.stack.aws.client("sqs").receive_message(
            QueueUrl=scene.stack.aws.queue_url("events"), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        for message in answer.get("Messages", []):
            body = json.loads(message["Body"])
            attributes = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
            assert attributes == {"eventType": body["type"], "threadId": body["threadId"]}
            found[body["id"]] = body
        return [body["type"] for body in of_thread()].count("execution_completed") == 1

    def of_thread() -> list[dict[str, object]]:
        return [body for body in found.values() if body["threadId"] == thread]

    until(received)
    assert {body["type"] for body in of_thread()} == {"execution_started", "turn_completed", "execution_completed"}
    assert all(body["version"] == 1 and datetime.fromisoformat(str(body["time"])) for body in of_thread())
