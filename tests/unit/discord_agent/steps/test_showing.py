from copy import replace

import pytest

from discord_agent.domain.classification import FlowType
from discord_agent.domain.conversation import Image, Message, ModelRequest, Purpose, Role
from discord_agent.domain.ids import MessageId
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.pictures import LARGEST
from discord_agent.domain.run import RunState
from discord_agent.domain.session import InboxItem, ItemKind
from discord_agent.steps import showing
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import answers, calls, finishes, says
from tests.support.fakes.world import BOB, EXECUTION, THREAD, World

PNG = b"\x89PNG\r\n\x1a\nmeow"
CAT = ".agent/uploads/cat.png"


def _attachment(name: str) -> Attachment:
    return Attachment(name, name, f"https://cdn.example/{name}", 10)


def _asked(world: World, **files: bytes) -> ModelRequest:
    """A question with attachments, as it reaches the model."""
    attachments = tuple(_attachment(name.replace("_", ".")) for name in files)
    world.discord.files |= {f"https://cdn.example/{name.replace('_', '.')}": body for name, body in files.items()}
    world.plays(says("A cat."), purpose=Purpose.RESPOND)
    world.respond()(world.requested(flow=FlowType.SIMPLE, attachments=attachments))
    [request] = world.model.requests
    return request


def test_a_question_comes_with_its_pictures() -> None:
    request = _asked(World(), cat_png=PNG)
    assert request.messages[-1].images == (Image("cat.png", "image/png"),)
    assert request.image_bytes == {"cat.png": PNG}


def test_a_question_comes_with_its_texts() -> None:
    world = World()
    request = _asked(world, notes_md="Käse\n".encode(), main_py=b"print(1)\n")
    assert world.prompts.values_of("attached")["texts"] == (("notes.md", "Käse\n"), ("main.py", "print(1)\n"))
    assert "print(1)" in request.messages[-1].text


def test_a_long_text_is_given_as_far_as_it_fits() -> None:
    world = World()
    _asked(world, log_txt="é".encode() * 100_000)
    [(_, text)] = world.prompts.values_of("attached")["texts"]
    assert text.startswith("é" * 29_000)
    assert text.endswith("(cut: the file is longer)")


def test_what_is_neither_picture_nor_text_is_named_only() -> None:
    world = World()
    request = _asked(world, tool_zip=b"PK\x00\xff", core_bin=b"a\0b", big_png=PNG.ljust(LARGEST + 1))
    assert world.prompts.values_of("attached")["left_out"] == ("tool.zip", "core.bin", "big.png")
    assert request.messages[-1].images == ()


def test_a_file_that_discord_does_not_give_costs_no_answer() -> None:
    world = World()
    world.plays(says("Which cat?"), purpose=Purpose.RESPOND)
    world.respond()(world.requested(flow=FlowType.SIMPLE, attachments=(_attachment("gone.png"),)))
    assert world.prompts.values_of("attached")["left_out"] == ("gone.png",)


def test_more_pictures_than_a_request_takes_are_named_only() -> None:
    world = World()
    request = _asked(world, **{f"p{number}_png": PNG for number in range(7)})
    assert len(request.messages[-1].images) == 5
    assert world.prompts.values_of("attached")["left_out"] == ("p5.png", "p6.png")


def _planned(world: World) -> RunState:
    """A planned run whose request came with a picture and a text."""
    run = world.working(max_turns=0)
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.manifests[THREAD, head.manifest_id]
    uploads = {CAT: PNG, ".agent/uploads/fake.png": b"no picture", ".agent/uploads/a.txt": b"text"}
    head = world.workspaces.save(THREAD, world.workspaces.with_files(manifest, uploads), expected=head)
    named = tuple(_attachment(name) for name in ("cat.png", "fake.png", "a.txt", "refused.png"))
    world.executions.rows[EXECUTION] = replace(world.row, attachments=named)
    world.journal.contexts.clear()
    world.plays(answers(agent_role="python-coder"), purpose=Purpose.PLAN)
    world.plays(answers(title="Cats"), purpose=Purpose.TITLE)
    return world.plan()(replace(run, manifest_id=head.manifest_id))


def test_the_task_is_shown_with_its_pictures_to_the_planner_and_in_every_round() -> None:
    world = World()
    planned = _planned(world)
    assert world.messages[-1].images == (Image(CAT, "image/png"),)
    [planning] = world.model.asked(Purpose.PLAN)
    assert (planning.messages[-1].images, planning.image_bytes) == ((Image(CAT, "image/png"),), {CAT: PNG})
    world.plays(calls(("bash", {"command": "ls"})), finishes())
    world.turn()(planned)
    assert [request.image_bytes for request in world.model.asked(Purpose.TURN)] == [{CAT: PNG}] * 2


def _steered(world: World, *names: str, content: bytes = PNG) -> None:
    """Somebody sends files while the run works."""
    world.discord.files |= {f"https://cdn.example/{name}": content for name in names}
    attachments = tuple(replace(_attachment(name), content_type="image/png") for name in names)
    world.sessions.put(
        InboxItem(
            THREAD, MessageId("600000000000000001"), BOB, "Bob", "Like this.", ItemKind.STEER, world.clock.now(),
            attachments=attachments,
        )
    )  # fmt: skip


def test_what_people_send_while_a_run_works_is_in_its_workspace_and_shown_to_it() -> None:
    world = World()
    run = world.working()
    _steered(world, "cat.png")
    world.plays(calls(("bash", {"command": "ls"})), finishes())
    world.turn()(run)
    first, second = world.model.asked(Purpose.TURN)
    assert first.image_bytes == second.image_bytes == {CAT: PNG}
    assert [message.images for message in second.messages if message.images] == [(Image(CAT, "image/png"),)]
    assert world.workspaces.files(THREAD)[CAT] == PNG
    assert world.prompts.values_of("heard")["files"] == [CAT]
    assert world.sessions.waiting(THREAD, ItemKind.STEER) == ()


def _sent_to_a_run_at_work() -> tuple[World, RunState]:
    world = World()
    run = world.working()
    _steered(world, "cat.png")
    world.plays(calls(("bash", {"command": "ls"})), finishes())
    return world, run


def test_wherever_a_turn_dies_its_next_attempt_has_the_files_that_people_sent() -> None:
    world, run = _sent_to_a_run_at_work()
    with world.effects.watch(moments := Moments()):
        world.turn()(run)
    for at in range(len(moments.seen)):
        world, run = _sent_to_a_run_at_work()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.turn()(run)
        world.turn()(run)
        assert world.workspaces.files(THREAD)[CAT] == PNG, moments.seen[at]
        assert world.sessions.waiting(THREAD, ItemKind.STEER) == (), moments.seen[at]


def test_a_file_that_only_calls_itself_a_picture_is_kept_as_a_file() -> None:
    world = World()
    run = world.working()
    _steered(world, "cat.png", content=b"#!/bin/sh\n")
    world.plays(finishes())
    world.turn()(run)
    assert world.model.asked(Purpose.TURN)[0].image_bytes == {}
    assert world.workspaces.files(THREAD)[CAT] == b"#!/bin/sh\n"


def test_a_file_that_is_refused_while_a_run_works_is_told() -> None:
    world = World()
    run = world.working()
    _steered(world, "cat.png")
    world.discord.files.clear()
    world.plays(finishes())
    world.turn()(run)
    assert CAT not in world.workspaces.files(THREAD)
    assert [row.details["name"] for row in world.audit.of("attachment_refused")] == ["cat.png"]


def test_a_picture_that_is_no_longer_what_it_was_is_not_sent() -> None:
    world = World()
    _planned(world)
    manifest = world.workspaces.manifests[THREAD, world.workspaces.heads[THREAD].manifest_id]
    shown = [Message(Role.USER, images=(Image(CAT, "image/jpeg"), Image("gone.png", "image/png")))]
    assert showing.image_bytes(world.workspaces, THREAD, manifest, shown) == {}
