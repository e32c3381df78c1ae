from copy import replace

import pytest

from discord_agent.domain.ids import ChannelId, ThreadId
from discord_agent.domain.inbound import NamedChannel
from discord_agent.domain.policy import Action, GuildSettings, People, Permit
from discord_agent.domain.workspace import Manifest
from tests.support.commands import ADMIN, PERSON, use
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.world import CHANNEL, EXECUTION, FILES, GUILD, MESSAGE, THREAD, World

VIEW = 1 << 10
OTHER = ThreadId("310000000000000003")
BUSY = "A run is at work in this thread. Try again when it has ended, or stop it."


def _ended() -> World:
    """A thread whose run has ended and left its files."""
    world = World()
    world.working()
    world.leases.release(THREAD, EXECUTION)
    return world


def _files(world: World, thread: ThreadId = THREAD) -> list[str]:
    head = world.workspaces.heads[thread]
    return [entry.path for entry in world.workspaces.manifests[thread, head.manifest_id].files]


def test_the_files_are_shown_as_a_tree_even_while_a_run_works() -> None:
    world = World()
    world.working()
    assert use(world, "workspace list").content == "```\n├── auth.py (17 B)\n└── test_auth.py (22 B)\n```"


def test_a_thread_without_files_says_so() -> None:
    world = World()
    assert use(world, "workspace list").content == "This thread has no files yet."


def _with_another_thread() -> World:
    world = World()
    manifest = world.workspaces.with_files(Manifest(), {"plan.md": b"secret"})
    world.workspaces.save(OTHER, manifest, expected=None)
    return world


def test_another_thread_is_listed_to_those_who_can_see_it() -> None:
    seen = NamedChannel(ChannelId(OTHER), "other", VIEW)
    listed = use(_with_another_thread(), "workspace list", channels=(seen,), thread_name=OTHER)
    assert "plan.md" in listed.content


@pytest.mark.parametrize(
    "channels", [(), (NamedChannel(ChannelId(OTHER), "other", 0),), (NamedChannel(ChannelId("1"), "another", VIEW),)]
)
def test_another_thread_is_not_listed_to_those_who_cannot(channels: tuple[NamedChannel, ...]) -> None:
    listed = use(_with_another_thread(), "workspace list", channels=channels, thread_name=OTHER)
    assert listed.content == "You cannot see that thread."


def test_another_thread_is_not_listed_where_the_bot_is_not_at_home() -> None:
    world = _with_another_thread()
    world.discord.start_thread(CHANNEL, MESSAGE, "here")
    world.sessions.put_settings(GUILD, GuildSettings(channels_allowed=(ChannelId(THREAD),)))
    seen = NamedChannel(ChannelId(OTHER), "other", VIEW)
    listed = use(world, "workspace list", channels=(seen,), thread_name=OTHER)
    assert listed.content == "This bot is not enabled in this channel."


def test_syncing_copies_the_files_to_where_people_browse() -> None:
    world = _ended()
    assert use(world, "workspace sync").content.startswith("💾 Saved: 2 files, 39 B")
    assert {path for _, path in world.workspaces.published} == set(FILES)


@pytest.mark.parametrize("command", ["workspace sync", "workspace clean", "workspace restore"])
def test_nothing_is_changed_under_a_run_at_work(command: str) -> None:
    world = World()
    world.working()
    assert use(world, command, by=ADMIN).content == BUSY
    assert _files(world) == sorted(FILES)


@pytest.mark.parametrize("command", ["workspace sync", "workspace clean"])
def test_nothing_is_changed_under_a_run_that_waits(command: str) -> None:
    world = _ended()
    world.sessions.update(THREAD, parked=EXECUTION)
    told = use(world, command, by=ADMIN).content
    assert told == "A run waits for an answer in this thread; answer it, or stop it first."
    assert _files(world) == sorted(FILES)


def test_cleaning_empties_the_workspace_keeps_the_session_and_can_be_undone() -> None:
    world = _ended()
    world.sessions.update(THREAD, confidence=42, dirty=True)
    before = world.sessions.get(THREAD)
    assert use(world, "workspace clean", by=ADMIN).content.startswith("🧹 Emptied.")
    emptied = world.sessions.get(THREAD)
    assert (_files(world), emptied.base, emptied.dirty, emptied.confidence) == ([], None, False, 42)

    assert use(world, "workspace restore", by=ADMIN, interaction="8").content == "♻️ Restored: 2 files are back."
    restored = world.sessions.get(THREAD)
    assert _files(world) == sorted(FILES)
    assert (restored.base, restored.dirty) == (before.base, True)


def test_an_empty_workspace_is_not_cleaned_so_that_the_undo_stays() -> None:
    world = _ended()
    use(world, "workspace clean", by=ADMIN)
    use(world, "workspace clean", by=ADMIN, interaction="8")
    use(world, "workspace restore", by=ADMIN, interaction="9")
    assert _files(world) == sorted(FILES)


def test_everybody_in_the_thread_is_told_once_that_files_went_and_came_back() -> None:
    world = _ended()
    for interaction in ("7", "7"):
        use(world, "workspace clean", by=ADMIN, interaction=interaction)
    use(world, "workspace restore", by=ADMIN, interaction="8")
    assert [text for text in world.discord.texts(THREAD) if text[:1] in "🧹♻"] == [
        f"🧹 <@{ADMIN.id}> emptied this thread's workspace. The next run starts from the repository.",
        f"♻️ <@{ADMIN.id}> brought back the files of this thread's workspace.",
    ]


def test_a_workspace_too_large_to_copy_is_said_to_be_saved() -> None:
    world = _ended()
    many = {f"{number}.txt": b"1" for number in range(501)}
    manifest = world.workspaces.with_files(Manifest(), many)
    world.workspaces.save(THREAD, manifest, expected=world.workspaces.heads[THREAD])
    assert use(world, "workspace sync").content.startswith("Every turn is saved already.")
    assert world.workspaces.published == {}


def test_what_a_later_run_made_is_not_undone() -> None:
    world = _ended()
    use(world, "workspace clean", by=ADMIN)
    manifest = world.workspaces.with_files(Manifest(), {"new.py": b"1"})
    world.workspaces.save(THREAD, manifest, expected=world.workspaces.heads[THREAD])
    told = use(world, "workspace restore", by=ADMIN, interaction="8").content
    assert told == "A run has filled the workspace since it was cleaned; nothing was changed."
    assert _files(world) == ["new.py"]


def test_without_a_cleaning_there_is_nothing_to_restore() -> None:
    assert use(_ended(), "workspace restore", by=ADMIN).content == "Nothing was cleaned in this thread."


def test_a_cleaning_that_dies_anywhere_is_finished_by_its_redelivery_and_can_be_undone() -> None:
    number, died = 0, True
    while died:
        world = _ended()
        before = world.sessions.get(THREAD)
        died = _dies(world, number)
        use(world, "workspace clean", by=ADMIN)
        emptied = world.sessions.get(THREAD)
        assert (_files(world), emptied.base, emptied.dirty) == ([], None, False)
        assert [text[:1] for text in world.discord.texts(THREAD) if "emptied" in text] == ["🧹"]
        use(world, "workspace restore", by=ADMIN, interaction="8")
        assert (_files(world), world.sessions.get(THREAD).base) == (sorted(FILES), before.base)
        number += 1
    assert number > 10


def _dies(world: World, number: int) -> bool:
    try:
        with world.effects.watch(Moments(number, die)):
            use(world, "workspace clean", by=ADMIN)
    except Death:
        return True
    return False


def test_a_file_is_posted_to_the_thread_once_however_often_the_command_is_delivered() -> None:
    world = _ended()
    for _ in range(2):
        assert use(world, "workspace upload", file_path="auth.py").content == "📎 Posted `auth.py`."
    [sent] = [sent for sent in world.discord.sent.values() if sent.post.files]
    assert (sent.post.files[0].name, sent.post.files[0].content) == ("auth.py", FILES["auth.py"])


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nothing.txt", "There is no file `nothing.txt` here; `/workspace list` shows what there is."),
        ("../../etc/passwd", "not a path inside the workspace: '../../etc/passwd'"),
        ("id_rsa", "`id_rsa` holds credentials, by its name; I do not post it."),
    ],
)
def test_what_is_no_file_leaves_the_workspace_or_holds_credentials_is_not_posted(path: str, sentence: str) -> None:
    world = _ended()
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.with_files(world.workspaces.manifests[THREAD, head.manifest_id], {"id_rsa": b"key"})
    world.workspaces.save(THREAD, manifest, expected=head)
    assert use(world, "workspace upload", file_path=path).content == sentence
    assert not [sent for sent in world.discord.sent.values() if sent.post.files]


def test_a_file_that_no_message_holds_is_refused_with_its_size() -> None:
    world = _ended()
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.manifests[THREAD, head.manifest_id]
    huge = replace(manifest, files=tuple(replace(entry, size=11 * 1024 * 1024) for entry in manifest.files))
    world.workspaces.save(THREAD, huge, expected=head)
    told = use(world, "workspace upload", file_path="auth.py").content
    assert told == "`auth.py` is too large: 11.0 MB, and a message holds 10.0 MB."


def test_who_may_clean_is_a_setting() -> None:
    world = _ended()
    assert "change settings" in use(world, "workspace clean").content
    permit = Permit(Action.CONFIGURE, People(users=(PERSON.id,)))
    world.sessions.put_settings(GUILD, GuildSettings(permits=(permit,)))
    assert use(world, "workspace clean", interaction="8").content.startswith("🧹 Emptied")
