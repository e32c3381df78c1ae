"""Commits that wait for people: every way a decision can go, each shown once on its card."""

import subprocess
import tempfile
from pathlib import Path

import pytest

from discord_agent.domain.ids import ExecutionId, GuildId, decision_owner, late_decision
from discord_agent.domain.session import Approval, Decision
from tests.support.git_hosts import git
from tests.support.histories import Story
from tests.support.stage import Run, Stage

COMPLETE = ["🏁 Execution Complete"]


def committed(stage: Stage, request: str) -> Run:
    """A run whose commit waits for a decision."""
    run = stage.start(request)
    assert run.ended().status == "SUCCEEDED"
    run.until(lambda record: record.approval and record.approval.task_token)
    return run


def approval(run: Run) -> Approval:
    found = run.record.approval
    assert found is not None
    return found


def refs(stage: Stage) -> dict[str, str]:
    """The refs of the host's repository."""
    listed = subprocess.run(
        ["git", "ls-remote", stage.repository], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    return {ref: sha for sha, ref in (line.split("\t") for line in listed.splitlines())}


def assert_settled(run: Run, story: Story, decision: Decision, shown: str) -> None:
    assert story.status == "SUCCEEDED"
    assert approval(run).decision is decision
    card = run.card(approval(run).message_id)
    assert shown in card
    assert card.count("Decision") == 1
    assert (run.endings, run.laments, run.holder) == (COMPLETE, 0, None)


def test_a_rejected_branch_is_gone_and_can_be_recovered(stage: Stage) -> None:
    run = committed(stage, "Write a short note to reject")
    story = run.decide("👎")
    assert_settled(run, story, Decision.REJECT, "❌ Rejected by")
    commit = approval(run).commit
    assert f"refs/heads/{commit.branch}" not in refs(stage)
    assert commit.sha in refs(stage).values()


def test_a_thread_without_a_repository_elsewhere_merges_in_its_own(stage: Stage) -> None:
    run = stage.ready("Write a short note into a repository of one's own")
    stage.executions.update(run.execution, guild_id=GuildId("900100200300400500"))
    run.launch()
    assert run.ended().status == "SUCCEEDED"
    before = refs(stage)
    story = run.decide("👍")
    assert_settled(run, story, Decision.MERGE, "✅ Merged into main by")
    assert refs(stage) == before


def test_a_branch_that_nobody_decides_on_is_kept(stage: Stage) -> None:
    run = stage.ready("Write a short note that nobody looks at")
    run.fail("approval", "States.Timeout", after=True)
    run.launch()
    run.ended()
    story = run.decided()
    assert story.errors("AwaitDecision") == ["States.Timeout"]
    assert_settled(run, story, Decision.EXPIRE, "⌛ Nobody decided in time. The branch is kept.")
    assert refs(stage)[f"refs/heads/{approval(run).commit.branch}"] == approval(run).commit.sha


def test_a_newer_commit_takes_the_place_of_one_that_waits(stage: Stage) -> None:
    older = committed(stage, "Write a short note that is soon out of date")
    newer = stage.say("write another short note", channel=older.thread)
    assert newer.ended().status == "SUCCEEDED"
    assert_settled(older, older.decided(), Decision.SUPERSEDE, "↪️ Superseded")
    newer.until(lambda record: record.approval and record.approval.task_token)
    assert newer.session.pending == approval(newer).commit
    assert approval(newer).commit.base == approval(older).commit.sha
    story = newer.decide("👍")
    assert (story.status, newer.holder) == ("SUCCEEDED", None)
    session = stage.sessions.get(newer.thread)
    assert session.pending is None
    assert "Merged into main" in newer.card(approval(newer).message_id)


def test_a_merge_that_clashes_says_why_and_keeps_the_branch(stage: Stage) -> None:
    run = committed(stage, "Write a note that is to clash")
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        git(Path(folder), "clone", "--quiet", stage.repository, str(clone))
        (clone / "README.md").write_text("Theirs.\n", encoding="utf-8")
        git(clone, "commit", "--quiet", "--all", "--message=Change it meanwhile")
        git(clone, "push", "--quiet", "origin", "HEAD")
    story = run.decide("👍")
    assert_settled(run, story, Decision.MERGE, "⚠️ Not merged")
    assert "README.md" in run.card(approval(run).message_id)
    assert refs(stage)[f"refs/heads/{approval(run).commit.branch}"] == approval(run).commit.sha


def test_a_merge_waits_while_a_run_holds_the_thread(stage: Stage) -> None:
    run, somebody = committed(stage, "Write a short note to merge when there is time"), ExecutionId("somebody-else")
    first, second = (stage.faults.hold_next("approval", only=(run.execution, '"decision"')) for _ in range(2))
    stage.leases.acquire(run.thread, somebody)
    run.react(approval(run).message_id, "👍")
    first.open()
    second.await_call()
    stage.leases.release(run.thread, somebody)
    second.open()
    story = run.decided()
    assert story.errors("CarryOut") == ["Conflict"]
    assert_settled(run, story, Decision.MERGE, "Merged into main")


def test_whoever_decides_before_the_machine_waits_is_heard(stage: Stage) -> None:
    run = stage.ready("Write a short note to merge in a hurry")
    gate = stage.faults.hold_next("approval", only=(run.execution, '"task_token"'))
    run.launch()
    gate.await_call()
    record = run.until(lambda record: record.approval)
    assert record.approval is not None
    run.react(record.approval.message_id, "👍")
    run.until(lambda record: record.approval and record.approval.decision)
    gate.open()
    story = run.decided()
    assert story.errors("AwaitDecision") == ["Conflict"]
    assert_settled(run, story, Decision.MERGE, "Merged into main by <@")


@pytest.mark.parametrize("expires", [False, True])
def test_a_commit_whose_approval_was_ended_from_outside_can_still_be_merged(stage: Stage, expires: bool) -> None:
    run = committed(stage, f"Write a short note whose approval is {'expired' if expires else 'aborted'}")
    arn = stage.arn("approval", decision_owner(run.execution))
    if expires:
        stage.aws.expire(arn)
    else:
        stage.aws.client("stepfunctions").stop_execution(executionArn=arn, error="Console", cause="a person")
    assert run.decided().status == ("TIMED_OUT" if expires else "ABORTED")
    run.react(approval(run).message_id, "👍")
    story = stage.ended("approval", late_decision(run.execution))
    assert [visit.state for visit in story.visits] == ["Decided", "CarryOut"]
    assert_settled(run, story, Decision.MERGE, "Merged into main")
