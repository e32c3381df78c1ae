"""People keep control: they stop a run, take it up again, merge and reject; nobody else does it for them."""

from collections.abc import Iterator
from copy import replace

import psutil
import pytest

from devstack.discord.records import Interaction
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import Decision
from tests.support.story import IN_PROCESS, SCRIPTS, Request, Story, repository, story, until


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = repository(tmp_path_factory.mktemp("mottos"), {"motto.txt": "Ours.\n", "README.md": "# Mottos\n"})
    with story(replace(IN_PROCESS, script=SCRIPTS / "controls.yaml", repository=folder)) as told:
        yield told


def sleepers() -> list[psutil.Process]:
    """The processes that the sleepy script starts."""
    return [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "543"]]


def asleep(scene: Story) -> Request:
    request = scene.ask("write a sleepy note")
    until(lambda: len(sleepers()) == 2)
    return request


def hanging(scene: Story) -> Request:
    request = scene.ask("write a hanging note")
    until(lambda: request.has(lambda record: record.card_message_id) and "round" in request.events)
    return request


def test_a_stop_sign_on_the_card_ends_a_long_command_and_continue_finishes_the_work(scene: Story) -> None:
    request = asleep(scene)
    scene.ada.react(request.thread, request.card.id, "🛑")
    record = request.ended(seconds=10)
    assert (record.outcome, request.terminal_messages) == (Outcome.STOPPED, 1)
    assert sleepers() == []
    assert request.lease_is_free
    assert "⏹️ Execution stop requested" in " ".join(message.content for message in scene.said(request.thread))
    assert request.read("sleepy.txt") == "Half.\n"
    assert request.card.components == ()

    request.press("Continue")
    again = request.retried()
    until(lambda: again.has(lambda record: record.terminal_message_id))
    assert again.ended().outcome is Outcome.DONE
    again.committed()
    assert again.read("sleepy.txt") == "Half.\nWhole.\n"


def test_the_stop_button_ends_a_run_whose_model_does_not_answer(scene: Story) -> None:
    request = hanging(scene)
    request.press("Stop")
    record = request.ended(seconds=10)
    assert (record.outcome, request.terminal_messages, request.lease_is_free) == (Outcome.STOPPED, 1, True)
    assert request.read("hanging.txt") == "Half.\n"

    request.press("Continue")
    again = request.retried()
    until(lambda: again.has(lambda record: record.approval))
    assert again.read("hanging.txt") == "Whole.\n"


def test_the_word_stop_in_the_thread_ends_the_run(scene: Story) -> None:
    request = hanging(scene)
    scene.ada.say(request.thread, "STOP, that is not what I meant")
    assert request.ended(seconds=10).outcome is Outcome.STOPPED


def test_a_run_hears_that_it_is_wrong_and_goes_on_with_the_stronger_model_that_people_want(scene: Story) -> None:
    request = scene.ask("write a patient note")
    until(lambda: ["sleep", "5.43"] in [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])])
    said = scene.linus.say(request.thread, "Wrong: it is a note about blue whales")
    scene.ada.react(request.thread, request.card.id, "🚀")
    record = request.ended()
    assert record.outcome is Outcome.DONE
    [step] = record.escalations
    assert (step.reason, step.after) == ("a stronger model was asked for", record.reached and record.reached.model)
    assert "👀" in scene.reactions(request.thread, said) & scene.reactions(request.thread, request.card.id)
    heard = [call for call in scene.calls("turn", "patient") if "blue whales" in str(call.messages)]
    assert {call.model for call in heard} == {step.after}
    assert "Wrong" not in str(heard[-1].messages)
    assert request.events.count("steer") == 2


def test_a_member_can_neither_stop_the_run_of_another_nor_decide_about_its_commit(scene: Story) -> None:
    running = hanging(scene)
    scene.linus.react(running.thread, running.card.id, "🛑")
    until(lambda: any("may stop this run" in message.content for message in scene.said(running.thread)))
    running.press("Stop", person=scene.linus)
    until(lambda: any("may stop this run" in text for text in scene.whispered(running.thread, scene.linus.user_id)))
    assert running.record.outcome is None
    running.press("Stop")
    running.ended(seconds=10)

    finished = scene.ask("write the guarded by linus note")
    approval = finished.committed()
    scene.linus.react(finished.thread, approval.message_id, "👍")
    until(lambda: any("decide about this commit" in message.content for message in scene.said(finished.thread)))
    finished.press("Reject", person=scene.linus)
    until(lambda: any("decide about" in text for text in scene.whispered(finished.thread, scene.linus.user_id)))
    record = finished.record
    assert record.approval is not None
    assert record.approval.decision is None


def test_a_thumb_down_drops_the_branch_and_git_can_bring_it_back(scene: Story) -> None:
    request = scene.ask("write the dropped note")
    approval = request.committed()
    with scene.git() as clone:
        assert f"origin/{approval.commit.branch}" in clone("branch", "-r")
    scene.ada.react(request.thread, approval.message_id, "👎")
    assert "❌ Rejected" in str(request.decided().embeds)
    with scene.git() as clone:
        assert f"origin/{approval.commit.branch}" not in clone("branch", "-r")
        dropped = [line for line in clone("ls-remote", "origin").splitlines() if "refs/dropped/" in line]
        assert [line for line in dropped if line.startswith(approval.commit.sha)]
        clone("fetch", "-q", "origin", dropped[0].split("\t")[1])
        assert clone("show", f"{approval.commit.sha}:note.txt") == "A note."
    assert "branch_rejected" in request.events


def test_the_reject_button_does_the_same(scene: Story) -> None:
    request = scene.ask("write the rejected note")
    request.committed()
    request.press("Reject")
    assert "❌ Rejected" in str(request.decided().embeds)


def test_a_button_that_comes_over_the_gateway_is_acknowledged_and_whoever_rejects_is_asked_why(scene: Story) -> None:
    request = scene.ask("write the disputed note")
    request.committed()
    endpoint = scene.discord.parts.interactions.endpoint
    scene.discord.set_interactions_endpoint(None)
    try:
        request.press("Reject")
    finally:
        scene.discord.set_interactions_endpoint(endpoint)
    pressed = scene.discord.parts.world.store.children(Interaction, request.thread)[-1]
    assert (pressed.failed, pressed.response) == (False, 6)
    assert "❌ Rejected" in str(request.decided().embeds)
    until(lambda: any("What was wrong with it?" in message.content for message in scene.said(request.thread)))


def test_the_merge_button_merges_once_however_often_it_is_pressed(scene: Story) -> None:
    request = scene.ask("write the merged note")
    approval = request.committed()
    request.press("Merge")
    scene.ada.react(request.thread, approval.message_id, "👍")
    scene.ada.react(request.thread, approval.message_id, "👎")
    assert "✅ Merged into main" in str(request.decided().embeds)
    until(lambda: "branch_merged" in request.events)
    with scene.git() as clone:
        assert clone.read("note.txt") == "A note.\n"
        merges = clone("log", "--merges", "--format=%P", "HEAD").splitlines()
        assert sum(approval.commit.sha in parents for parents in merges) == 1
    assert request.events.count("branch_merged") == 1


def test_a_conflict_is_reported_and_nothing_is_forced(scene: Story) -> None:
    mine = scene.ask("change the motto to mine")
    # What one person writes before the first of it is taken up is one request.
    until(lambda: mine.has(lambda record: True))
    yours = scene.ask("change the motto to yours")
    mine.committed()
    approval = yours.committed()
    mine.press("Merge")
    assert "✅ Merged" in str(mine.decided().embeds)
    yours.press("Merge")
    card = str(yours.decided().embeds)
    assert "⚠️ Not merged" in card
    assert "motto.txt" in card
    with scene.git() as clone:
        assert clone.read("motto.txt") == "Mine.\n"
        assert f"origin/{approval.commit.branch}" in clone("branch", "-r")


def test_a_newer_commit_takes_the_place_of_one_that_nobody_decided(scene: Story) -> None:
    first = scene.ask("write a growing note")
    older = first.committed()
    message = scene.ada.say(first.thread, "write more of it")
    second = scene.request(message, first.thread)
    newer = until(lambda: second.has(lambda record: record.approval) and second.committed())
    assert "Superseded" in str(first.decided().embeds)
    record = first.record
    assert record.approval is not None
    assert record.approval.decision is Decision.SUPERSEDE
    second.press("Merge")
    assert "✅ Merged" in str(second.decided().embeds)
    with scene.git() as clone:
        assert clone.read("growing.txt") == "One.\nTwo.\n"
        assert clone("merge-base", "--is-ancestor", older.commit.sha, "HEAD") == ""
    assert newer
