from copy import replace

import pytest

from discord_agent.domain import events
from discord_agent.domain.errors import Conflict, InvalidEvent
from discord_agent.domain.policy import ChannelSettings, GuildSettings
from discord_agent.domain.run import Next, Outcome, RunState, TurnStatus
from discord_agent.steps.commit import DIFF_PATH
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER
from tests.support.fakes.world import CHANNEL, GUILD, THREAD, World


def _changed(world: World, **changes: object) -> RunState:
    """A finished run whose workspace differs from where it started."""
    run = world.working(
        turn=2, outcome=Outcome.DONE, next=Next.END, summary="## Add token login\n\nChecked by tests.", **changes
    )
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.manifests[THREAD, head.manifest_id]
    new = world.workspaces.with_files(manifest, {"auth.py": b"def login(token): ...\n", ".agent/plans/x.md": b"plan"})
    head = world.workspaces.save(THREAD, new, expected=head)
    return replace(run, manifest_id=head.manifest_id, files_changed=("auth.py",))


def test_a_finished_run_becomes_a_branch_named_after_its_topic() -> None:
    world = World()
    after = world.commit()(_changed(world))
    assert after.commit is not None
    assert (after.commit.branch, after.commit.files) == ("token-login", ("auth.py",))
    assert after.commit.message == "Add token login\n\nChecked by tests.\n\nRun: m-300000000000000003\n"
    assert after.commit.base == world.sessions.get(THREAD).base
    assert world.repositories.branches["token-login"] == after.commit.sha
    assert world.repositories.branches["main"] != after.commit.sha


def test_the_diff_is_kept_beside_the_files_and_the_run_is_told_where() -> None:
    world = World()
    after = world.commit()(_changed(world))
    assert world.workspaces.files(THREAD)[DIFF_PATH] == b"auth.py"
    assert after.manifest_id == world.workspaces.heads[THREAD].manifest_id


def test_the_thread_remembers_which_model_wrote_the_commit() -> None:
    world = World()
    world.commit()(_changed(world, model=LADDER[1]))
    assert world.sessions.get(THREAD).author_model == LADDER[1]


def test_a_commit_is_audited_and_announced() -> None:
    world = World()
    after = world.commit()(_changed(world))
    assert after.commit is not None
    [row] = world.audit.of("commit")
    assert row.details == {
        "branch": "token-login", "commitHash": after.commit.sha, "files": ["auth.py"], "summary": "1 files",
    }  # fmt: skip
    [event] = world.events.emitted
    assert (event.type, event.details["commitHash"]) == (events.COMMIT_CREATED, after.commit.sha)


@pytest.mark.parametrize("outcome", [Outcome.STOPPED, Outcome.OUT_OF_TURNS, Outcome.NEEDS_YOU, Outcome.OUT_OF_BUDGET])
def test_an_unfinished_run_keeps_its_work_for_the_next_one_instead_of_a_branch(outcome: Outcome) -> None:
    world = World()
    run = replace(_changed(world), outcome=outcome)
    assert world.commit()(run) == run
    assert world.sessions.get(THREAD).dirty
    assert set(world.repositories.branches) == {"main"}


def test_an_unfinished_run_that_changed_nothing_leaves_earlier_work_marked() -> None:
    world = World()
    run = world.working(outcome=Outcome.STOPPED, next=Next.END)
    world.commit()(run)
    assert not world.sessions.get(THREAD).dirty
    world.sessions.update(THREAD, dirty=True)
    world.commit()(run)
    assert world.sessions.get(THREAD).dirty


def test_a_finished_run_without_changes_needs_no_branch() -> None:
    world = World()
    run = world.working(turn=1, outcome=Outcome.DONE, next=Next.END)
    world.sessions.update(THREAD, dirty=True)
    assert world.commit()(run).commit is None
    assert not world.sessions.get(THREAD).dirty


def test_a_run_without_a_summary_is_named_after_its_topic() -> None:
    world = World()
    after = world.commit()(replace(_changed(world), summary=""))
    assert after.commit is not None
    assert after.commit.message.startswith("token login\n\nRun:")


def test_the_repository_of_the_channel_is_used() -> None:
    world = World()
    run = _changed(world)
    world.sessions.put_settings(
        GUILD, GuildSettings(channels=(ChannelSettings(CHANNEL, repository="https://git.example/auth.git"),))
    )
    world.commit()(run)
    assert world.repositories.sources == ["https://git.example/auth.git"]


def test_a_commit_with_secrets_is_withheld_and_people_are_asked() -> None:
    world = World()
    run = replace(_changed(world), status=TurnStatus.COMPLETE)
    world.repositories.secrets_found = ("auth.py: GitHub token",)
    after = world.commit()(run)
    assert (after.commit, after.outcome) == (None, Outcome.NEEDS_YOU)
    assert "auth.py: GitHub token" in after.question
    assert world.sessions.get(THREAD).dirty, "the next run goes on from this work"
    assert set(world.repositories.branches) == {"main"}
    [row] = world.audit.of("commit_withheld")
    assert row.details == {"places": ["auth.py: GitHub token"]}
    world.finish()(after)
    message = world.row.terminal_message_id
    assert message is not None
    text = world.discord.sent[message].post.content
    assert text.startswith("💬 **I need you**: I pushed nothing")


def test_a_commit_that_dies_anywhere_leads_to_one_branch() -> None:
    world = World()
    run = _changed(world)
    with world.effects.watch(moments := Moments()):
        expected = world.commit()(run)
    for at in range(len(moments.seen)):
        world = World()
        run = _changed(world)
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.commit()(run)
        after = world.commit()(run)
        assert after.commit == expected.commit
        assert set(world.repositories.branches) == {"main", "token-login"}
        assert world.workspaces.files(THREAD)[DIFF_PATH] == b"auth.py"
        assert not world.sessions.get(THREAD).dirty


def test_a_thread_without_a_workspace_cannot_be_committed() -> None:
    world = World()
    run = _changed(world)
    del world.workspaces.heads[THREAD]
    with pytest.raises(InvalidEvent):
        world.commit()(run)


def test_a_workspace_that_moved_while_it_was_committed_is_not_overwritten() -> None:
    world = World()
    run = _changed(world)

    def move(moment: str) -> None:
        if moment == "after repositories.commit":
            head = world.workspaces.heads[THREAD]
            newer = world.workspaces.with_files(world.workspaces.manifests[THREAD, head.manifest_id], {"new.py": b"n"})
            with world.effects.watch(None):
                world.workspaces.save(THREAD, newer, expected=head)

    with world.effects.watch(move), pytest.raises(Conflict):
        world.commit()(run)
    assert "new.py" in world.workspaces.files(THREAD)
