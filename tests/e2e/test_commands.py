"""People use slash commands: answers are theirs alone, come from the records, and rights hold."""

from collections.abc import Iterator
from copy import replace

import pytest

from devstack.discord.records import LOADING, Command, Message
from devstack.discord.seed import ADA_ID, GENERAL_ID, WORKSHOP_ID
from devstack.person import Person
from discord_agent.domain.commands import COMMANDS
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.run import Outcome
from tests.support.story import IN_PROCESS, SCRIPTS, Request, Story, repository, story, until


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = repository(tmp_path_factory.mktemp("mottos"), {"motto.txt": "Ours.\n", "README.md": "# Mottos\n"})
    with story(replace(IN_PROCESS, script=SCRIPTS / "controls.yaml", repository=folder)) as told:
        yield told


def use(scene: Story, person: Person, channel: str, name: str, **options: object) -> Message:
    """Use a command; the answer that takes the place of "thinking …"."""

    def shown() -> list[Message]:
        found = scene.discord.parts.world.store.children(Message, channel)
        return [message for message in found if message.visible_to == person.user_id]

    before = len(shown())
    outcome = person.command(channel, name, **options)
    assert (outcome["failed"], outcome["response"]) == (False, 5)
    until(lambda: len(shown()) > before and not shown()[-1].flags & LOADING)
    return shown()[-1]


def card(message: Message) -> dict[str, str]:
    return {field["name"]: field["value"] for embed in message.embeds for field in embed.get("fields", [])}


def written(scene: Story, channel: str = GENERAL_ID) -> Request:
    request = scene.ask("write the merged note", channel=channel)
    request.committed()
    request.ended()
    return request


def test_every_declared_command_is_registered_at_the_start(scene: Story) -> None:
    registered = {command.body["name"] for command in scene.discord.parts.world.store.everything(Command)}
    assert registered == {command.name.split()[0] for command in COMMANDS}


def test_a_thread_tells_its_state_its_runs_and_its_files_to_one_person_only(scene: Story) -> None:
    request = written(scene)
    status = use(scene, scene.ada, request.thread, "status")
    assert card(status)["Lock"] == "free"
    assert card(status)["Waits for 👍 or 👎"]
    assert "**flow**" in card(status)["Why"]
    logs = use(scene, scene.linus, request.thread, "logs", count=1)
    assert logs.embeds[0]["description"].startswith("✅ **write the merged note**")
    files = use(scene, scene.ada, request.thread, "workspace list")
    assert "note.txt (8 B)" in files.content
    seen_by_linus = {message["id"] for message in scene.linus.read(request.thread)}
    assert {status.id, logs.id, files.id} & seen_by_linus == {logs.id}


def test_a_file_is_posted_for_everybody(scene: Story) -> None:
    request = written(scene)
    use(scene, scene.linus, request.thread, "workspace upload", file_path="note.txt")
    posted = scene.said(request.thread)[-1]
    assert posted.content == "📎 **note.txt**"
    assert scene.download(posted.attachments[0]) == b"A note.\n"


def test_only_an_administrator_empties_the_workspace_and_brings_it_back(scene: Story) -> None:
    thread = written(scene).thread
    assert "change settings" in use(scene, scene.linus, thread, "workspace clean").content
    assert use(scene, scene.ada, thread, "workspace clean").content.startswith("🧹 Emptied")
    assert use(scene, scene.ada, thread, "workspace list").content == "This thread has no files yet."
    assert use(scene, scene.ada, thread, "workspace restore").content.startswith("♻️ Restored")
    assert "note.txt" in use(scene, scene.ada, thread, "workspace list").content


def test_going_back_takes_away_what_later_turns_made(scene: Story) -> None:
    thread = written(scene).thread
    use(scene, scene.ada, thread, "rewind", turn=0)
    until(lambda: "note.txt" not in use(scene, scene.ada, thread, "workspace list").content)
    told = f"⏪ <@{ADA_ID}> went back to how things were at the start."
    until(lambda: any(message.content.startswith(told) for message in scene.said(thread)))


def test_a_run_is_stopped_by_whoever_may(scene: Story) -> None:
    request = scene.ask("write a hanging note")
    until(lambda: request.has(lambda record: record.card_message_id) and "round" in request.events)
    assert "may stop this run" in use(scene, scene.linus, request.thread, "stop").content
    assert "A run is at work" in use(scene, scene.ada, request.thread, "workspace clean").content
    use(scene, scene.ada, request.thread, "stop")
    assert request.ended(seconds=10).outcome is Outcome.STOPPED


def test_the_button_under_a_stopped_run_takes_its_files_back_too(scene: Story) -> None:
    request = scene.ask("write a hanging note")
    until(lambda: request.has(lambda record: record.card_message_id) and "round" in request.events)
    use(scene, scene.ada, request.thread, "stop")
    request.ended(seconds=10)
    assert "hanging.txt" in use(scene, scene.ada, request.thread, "workspace list").content
    request.press("Back to the start")
    until(lambda: "Back at the beginning." in scene.whispered(request.thread, ADA_ID))
    assert "hanging.txt" not in use(scene, scene.ada, request.thread, "workspace list").content


def test_a_quiet_channel_gets_quiet_cards(scene: Story) -> None:
    use(scene, scene.ada, WORKSHOP_ID, "settings verbosity", level="quiet")
    quiet = written(scene, WORKSHOP_ID).card.embeds[0]
    loud = written(scene).card.embeds[0]
    assert "✏️ Writing" in loud["description"]
    assert "✏️ Writing" not in quiet["description"]
    assert [field["name"] for field in quiet["fields"]] == ["Turn", "Cost"]


def test_who_changed_what_stands_in_the_audit_trail(scene: Story) -> None:
    use(scene, scene.ada, WORKSHOP_ID, "settings verbosity", level="normal")
    newest = scene.records.audit.newest(ThreadId(WORKSHOP_ID), "command", limit=1)
    assert [(entry.actor, entry.details["options"]) for entry in newest] == [(ADA_ID, {"level": "normal"})]
