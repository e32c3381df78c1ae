from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain import events
from discord_agent.domain.errors import Conflict, DiscordRefused, InvalidEvent
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.policy import ChannelSettings, GuildSettings, Place, Verbosity
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionStatus
from discord_agent.domain.workspace import Manifest
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.world import CHANNEL, EXECUTION, FILES, GUILD, MESSAGE, THREAD, World

NOTES = Attachment("1", "../my notes.txt", "https://cdn.example/1", 5)
HUGE = Attachment("2", "huge.iso", "https://cdn.example/2", 10**9)


def _asked(world: World, attachments: tuple[Attachment, ...] = ()) -> RunState:
    world.repositories.begin(FILES)
    world.discord.files[NOTES.url] = b"notes"
    return world.requested(attachments=attachments)


def test_a_request_in_a_channel_opens_a_thread_on_its_message() -> None:
    world = World()
    after = world.prepare()(_asked(world))
    assert after.thread_id == THREAD
    assert after.channel_id == CHANNEL
    assert world.discord.titles[THREAD] == "Let people log in with a token"
    assert world.row.thread_id == THREAD


def test_a_request_in_a_thread_stays_there() -> None:
    world = World()
    thread = ChannelId("800000000000000008")
    world.discord.channels[thread] = Place(thread, GUILD, CHANNEL, is_thread=True)
    after = world.prepare()(replace(_asked(world), channel_id=thread))
    assert after.thread_id == ThreadId(thread)
    assert world.discord.titles == {}
    assert world.sessions.get(ThreadId(thread)).parent_channel_id == CHANNEL


def test_a_direct_message_is_answered_where_it_is() -> None:
    world = World()
    channel = ChannelId("800000000000000008")
    world.discord.channels[channel] = Place(channel)
    after = world.prepare()(replace(_asked(world), channel_id=channel, guild_id=None))
    assert after.thread_id == ThreadId(channel)


def test_the_start_card_can_be_stopped_by_reaction_and_button() -> None:
    world = World()
    after = world.prepare()(_asked(world))
    card = world.discord.with_nonce(f"{EXECUTION}/card").post
    assert "Starting work" in card.embeds[0].title
    assert [button.label for button in card.buttons[0]] == ["Stop"]
    assert after.card_message_id is not None
    assert world.discord.reactions[after.card_message_id, "🛑"] == 1
    assert world.row.card_message_id == after.card_message_id


def test_reactions_that_discord_refuses_do_not_fail_the_run() -> None:
    world = World()
    world.discord.failures["react"] = lambda: DiscordRefused("Missing Permissions", status=403)
    assert world.prepare()(_asked(world)).next is Next.PLAN


def test_the_run_holds_the_thread_and_is_announced() -> None:
    world = World()
    after = world.prepare()(_asked(world))
    assert world.leases.holder(THREAD) == EXECUTION
    assert world.row.status is ExecutionStatus.PROCESSING
    assert after.started_at == world.clock.now().isoformat()
    assert world.events.types() == [events.EXECUTION_STARTED]
    [row] = world.audit.of(events.EXECUTION_STARTED)
    assert row.details["request"] == "Let people log in with a token"


def test_a_thread_that_another_run_holds_is_waited_for_without_a_trace_in_it() -> None:
    world = World()
    run = _asked(world)
    world.leases.acquire(THREAD, ExecutionId("m-1"))
    with pytest.raises(Conflict):
        world.prepare()(run)
    assert world.discord.texts(THREAD) == []
    assert world.workspaces.heads == {}


def test_a_new_thread_starts_from_main() -> None:
    world = World()
    after = world.prepare()(_asked(world))
    assert world.workspaces.files(THREAD) == FILES
    assert after.manifest_id == world.workspaces.heads[THREAD].manifest_id
    session = world.sessions.get(THREAD)
    assert (session.base, session.dirty) == (world.repositories.branches["main"], False)


def test_the_channels_repository_is_known_from_the_first_run_on() -> None:
    world = World()
    settings = GuildSettings(channels=(ChannelSettings(CHANNEL, repository="https://git.example/auth.git"),))
    world.sessions.put_settings(GUILD, settings)
    thread = ChannelId("800000000000000008")
    world.discord.channels[thread] = Place(thread, GUILD, CHANNEL, is_thread=True)
    world.prepare()(replace(_asked(world), channel_id=thread))
    assert world.repositories.sources == ["https://git.example/auth.git"]


def _worked_on(world: World, *, dirty: bool) -> RunState:
    """A thread in which an earlier run changed a file and wrote a plan."""
    run = world.working()
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.manifests[THREAD, head.manifest_id]
    changed = world.workspaces.with_files(manifest, {"auth.py": b"half done", ".agent/plans/old.md": b"plan"})
    world.workspaces.save(THREAD, changed, expected=head)
    world.sessions.update(THREAD, dirty=dirty)
    world.leases.release(THREAD, EXECUTION)
    return replace(run, channel_id=ChannelId(THREAD), card_message_id=None, manifest_id=None)


def test_what_an_unfinished_run_left_is_gone_on_with() -> None:
    world = World()
    world.prepare()(_worked_on(world, dirty=True))
    assert world.workspaces.files(THREAD)["auth.py"] == b"half done"
    assert world.repositories.sources == []


def test_a_thread_whose_work_is_settled_starts_from_main_again_and_keeps_the_agents_own_files() -> None:
    world = World()
    world.prepare()(_worked_on(world, dirty=False))
    assert world.workspaces.files(THREAD) == {**FILES, ".agent/plans/old.md": b"plan"}


def test_a_branch_that_waits_for_a_decision_is_what_the_next_run_starts_from() -> None:
    world = World()
    run = _worked_on(world, dirty=False)
    manifest = world.workspaces.with_files(Manifest(), {**FILES, "auth.py": b"committed"})
    base = world.repositories.branches["main"]
    made = world.repositories.commit(THREAD, "", manifest=manifest, base=base, branch="token", message="Add")
    assert made is not None
    world.sessions.update(THREAD, pending=made[0])
    world.prepare()(run)
    assert world.workspaces.files(THREAD)["auth.py"] == b"committed"
    assert world.sessions.get(THREAD).base == made[0].sha


def test_attachments_are_imported_under_a_safe_name_once() -> None:
    world = World()
    run = _asked(world, attachments=(NOTES,))
    world.prepare()(run)
    assert world.workspaces.files(THREAD)[".agent/uploads/my_notes.txt"] == b"notes"
    assert world.sessions.get(THREAD).imported_attachments == (f"{MESSAGE}/1",)
    world.discord.files.clear()
    world.prepare()(run)
    assert world.workspaces.files(THREAD)[".agent/uploads/my_notes.txt"] == b"notes"


def test_an_attachment_that_cannot_be_had_is_told_and_does_not_fail_the_run() -> None:
    world = World()
    after = world.prepare()(_asked(world, attachments=(HUGE, NOTES)))
    assert after.next is Next.PLAN
    assert any("huge.iso" in text and "not imported" in text for text in world.discord.texts(THREAD))
    assert ".agent/uploads/my_notes.txt" in world.workspaces.files(THREAD)
    [row] = world.audit.of("attachment_refused")
    assert row.details["name"] == "huge.iso"


def test_a_run_without_a_row_cannot_begin() -> None:
    world = World()
    run = _asked(world)
    world.executions.rows.clear()
    with pytest.raises(InvalidEvent):
        world.prepare()(run)


def test_preparing_that_dies_anywhere_leaves_one_thread_one_card_and_one_workspace() -> None:
    world = World()
    run = _asked(world, attachments=(NOTES, HUGE))
    with world.effects.watch(moments := Moments()):
        expected = world.prepare()(run)
    texts, files = world.discord.texts(THREAD), world.workspaces.files(THREAD)
    session = world.sessions.get(THREAD)
    for at in range(len(moments.seen)):
        world = World()
        run = _asked(world, attachments=(NOTES, HUGE))
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.prepare()(run)
        assert world.prepare()(run) == expected
        assert world.discord.texts(THREAD) == texts
        assert world.workspaces.files(THREAD) == files
        assert world.sessions.get(THREAD) == session
        assert world.leases.holder(THREAD) == EXECUTION


def test_a_card_that_was_posted_long_ago_is_not_posted_again() -> None:
    world = World()
    run = _asked(world)
    first = world.prepare()(run)
    world.clock.pass_by(timedelta(minutes=10))
    world.discord.sent = {
        message: replace(sent, nonce="forgotten by Discord") for message, sent in world.discord.sent.items()
    }
    again = world.prepare()(run)
    assert again.card_message_id == first.card_message_id != MessageId("")


@pytest.mark.parametrize("verbosity", list(Verbosity))
def test_a_run_shows_as_much_as_its_channel_wants_to_see(verbosity: Verbosity) -> None:
    world = World()
    run = _asked(world)
    channel = ChannelSettings(CHANNEL, verbosity=verbosity)
    world.sessions.put_settings(GUILD, GuildSettings(channels=(channel,)))
    assert world.prepare()(run).verbosity is verbosity
