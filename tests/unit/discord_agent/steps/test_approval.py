from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain import events
from discord_agent.domain.errors import Conflict, DiscordRefused, InvalidEvent, LeaseLost, RepositoryRefused
from discord_agent.domain.ids import ExecutionId, MessageId
from discord_agent.domain.run import Commit, Next, Outcome, RunState
from discord_agent.domain.session import Decision
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.world import ADA, BOB, EXECUTION, THREAD, World


def _waiting(world: World) -> tuple[RunState, Commit, MessageId]:
    """A finished run whose commit waits for a decision."""
    run = world.working(
        turn=2, outcome=Outcome.DONE, next=Next.END, summary="Added token login.", files_changed=("auth.py",)
    )
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.manifests[THREAD, head.manifest_id]
    head = world.workspaces.save(THREAD, world.workspaces.with_files(manifest, {"auth.py": b"new"}), expected=head)
    run = world.finish()(world.commit()(replace(run, manifest_id=head.manifest_id)))
    assert run.commit is not None
    message = world.row.terminal_message_id
    assert message is not None
    world.await_decision()(run, message, "token")
    world.events.emitted.clear()
    return run, run.commit, message


def _shown(world: World, message: MessageId) -> str:
    return next(field.value for field in world.discord.sent[message].post.embeds[0].fields if field.name == "Decision")


def _decided(world: World, commit: Commit, decision: Decision) -> None:
    world.executions.decide(EXECUTION, commit.sha, decision, ADA)


def test_a_commit_waits_with_its_token_and_the_message_it_is_shown_on() -> None:
    world = World()
    _, commit, message = _waiting(world)
    approval = world.row.approval
    assert approval is not None
    assert (approval.commit, approval.message_id, approval.task_token) == (commit, message, "token")


def test_a_wait_that_is_retried_waits_on_the_newest_token() -> None:
    world = World()
    run, commit, message = _waiting(world)
    world.await_decision()(run, message, "newer token")
    assert world.executions.decide(EXECUTION, commit.sha, Decision.MERGE, ADA) == "newer token"


def test_a_run_without_a_commit_has_nothing_to_decide() -> None:
    world = World()
    run = world.working()
    with pytest.raises(InvalidEvent):
        world.await_decision()(run, MessageId("1"), "token")
    with pytest.raises(InvalidEvent):
        world.carry_out()(run, MessageId("1"), Decision.MERGE, ADA)


def test_a_merge_brings_the_branch_into_main() -> None:
    world = World()
    run, commit, message = _waiting(world)
    _decided(world, commit, Decision.MERGE)
    world.carry_out()(run, message, Decision.MERGE, ADA)
    merged = world.repositories.merged[commit.sha]
    assert world.repositories.branches == {"main": merged}
    assert _shown(world, message) == f"✅ Merged into main by <@{ADA}> as `{merged[:7]}`."
    assert world.discord.sent[message].post.buttons == ()
    assert world.sessions.get(THREAD).pending is None
    assert world.leases.holder(THREAD) is None
    [row] = world.audit.of(events.BRANCH_MERGED)
    assert (row.actor, row.details) == (ADA, {"branch": "token-login", "commitHash": merged})
    assert world.events.types() == [events.BRANCH_MERGED]


def test_a_rejection_drops_the_branch_so_that_it_can_be_recovered() -> None:
    world = World()
    run, commit, message = _waiting(world)
    _decided(world, commit, Decision.REJECT)
    world.carry_out()(run, message, Decision.REJECT, BOB)
    assert set(world.repositories.branches) == {"main"}
    assert world.repositories.dropped == {commit.sha}
    assert "Rejected" in _shown(world, message)
    assert world.sessions.get(THREAD).pending is None
    assert world.events.types() == [events.BRANCH_REJECTED]


def test_a_merge_that_clashes_is_reported_and_keeps_the_branch() -> None:
    world = World()
    run, commit, message = _waiting(world)
    world.repositories.clashing.add("token-login")
    world.carry_out()(run, message, Decision.MERGE, ADA)
    assert world.repositories.branches["token-login"] == commit.sha
    assert "Not merged: auth.py changed on main too" in _shown(world, message)
    [row] = world.audit.of("merge_failed")
    assert row.actor == ADA
    assert world.events.types() == []
    assert world.leases.holder(THREAD) is None


def test_a_rejection_of_a_branch_that_moved_is_a_failure_not_a_reason_to_wait() -> None:
    world = World()
    run, _, message = _waiting(world)
    world.repositories.clashing.add("token-login")
    with pytest.raises(RepositoryRefused):
        world.carry_out()(run, message, Decision.REJECT, ADA)
    assert world.leases.holder(THREAD) is None


def test_a_decision_waits_while_a_run_holds_the_thread() -> None:
    world = World()
    run, commit, message = _waiting(world)
    world.leases.acquire(THREAD, ExecutionId("m-1"))
    with pytest.raises(Conflict):
        world.carry_out()(run, message, Decision.MERGE, ADA)
    assert world.repositories.branches["token-login"] == commit.sha
    world.leases.release(THREAD, ExecutionId("m-1"))
    world.carry_out()(run, message, Decision.MERGE, ADA)
    assert commit.sha in world.repositories.merged


def test_an_expired_commit_keeps_its_branch_and_takes_no_decision_any_more() -> None:
    world = World()
    run, commit, message = _waiting(world)
    world.carry_out()(run, message, Decision.EXPIRE, None)
    assert world.repositories.branches["token-login"] == commit.sha
    assert "Nobody decided in time" in _shown(world, message)
    with pytest.raises(Conflict):
        _decided(world, commit, Decision.MERGE)


def test_what_somebody_decided_in_the_last_moment_counts_though_the_machine_stopped_waiting() -> None:
    world = World()
    run, commit, message = _waiting(world)
    _decided(world, commit, Decision.MERGE)
    world.carry_out()(run, message, Decision.EXPIRE, None)
    assert commit.sha in world.repositories.merged
    assert f"by <@{ADA}>" in _shown(world, message)


def test_an_expiry_of_a_commit_that_never_waited_is_a_conflict() -> None:
    world = World()
    run, _, message = _waiting(world)
    world.executions.rows[EXECUTION] = replace(world.row, approval=None)
    with pytest.raises(Conflict):
        world.carry_out()(run, message, Decision.EXPIRE, None)


def test_a_superseded_card_says_so_and_leaves_the_thread_and_the_newer_commit_alone() -> None:
    world = World()
    run, commit, message = _waiting(world)
    newer = replace(commit, branch="token-login-2")
    world.sessions.update(THREAD, pending=newer)
    world.leases.acquire(THREAD, ExecutionId("m-1"))
    world.carry_out()(run, message, Decision.SUPERSEDE, None)
    assert "Superseded" in _shown(world, message)
    assert world.sessions.get(THREAD).pending == newer
    assert world.leases.holder(THREAD) == "m-1"


def test_a_decision_forgets_only_its_own_pending_commit() -> None:
    world = World()
    run, commit, message = _waiting(world)
    newer = replace(commit, sha=world.repositories.branches["main"])
    world.sessions.update(THREAD, pending=newer)
    world.carry_out()(run, message, Decision.MERGE, ADA)
    assert world.sessions.get(THREAD).pending == newer


def test_a_card_that_somebody_deleted_does_not_undo_the_merge() -> None:
    world = World()
    run, commit, message = _waiting(world)
    world.discord.failures["edit"] = lambda: DiscordRefused("Unknown Message", status=404)
    world.carry_out()(run, message, Decision.MERGE, ADA)
    assert commit.sha in world.repositories.merged
    assert len(world.audit.of("card_refused")) == 1


@pytest.mark.parametrize("decision", [Decision.MERGE, Decision.REJECT, Decision.EXPIRE])
def test_a_decision_that_dies_anywhere_is_carried_out_once(decision: Decision) -> None:
    by = None if decision is Decision.EXPIRE else ADA
    world = World()
    run, _, message = _waiting(world)
    with world.effects.watch(moments := Moments()):
        world.carry_out()(run, message, decision, by)
    branches, shown = world.repositories.branches, _shown(world, message)
    for at in range(len(moments.seen)):
        world = World()
        run, _, message = _waiting(world)
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.carry_out()(run, message, decision, by)
        world.clock.pass_by(timedelta(seconds=10))
        world.carry_out()(run, message, decision, by)
        assert world.repositories.branches == branches
        assert _shown(world, message) == shown
        assert world.sessions.get(THREAD).pending is None
        assert world.leases.holder(THREAD) is None


def test_a_late_attempt_does_not_give_back_the_lease_of_a_newer_one() -> None:
    world = World()
    run, _, message = _waiting(world)
    owner = ExecutionId(f"{EXECUTION}-approval")

    def overtake(moment: str) -> None:
        if moment == "before repositories.merge":
            with world.effects.watch(None):
                world.leases.acquire(THREAD, owner)

    with world.effects.watch(overtake), pytest.raises(LeaseLost):
        world.carry_out()(run, message, Decision.MERGE, ADA)
    assert world.leases.holder(THREAD) == owner
