from collections.abc import Mapping
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from discord_agent.domain import events
from discord_agent.domain.errors import Conflict, DiscordRefused, DiscordUnavailable, LeaseLost
from discord_agent.domain.events import AgenticEvent
from discord_agent.domain.ids import ChannelId, CommitSha, ExecutionId, MessageId, decision_owner, late_decision
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Commit, Next, Outcome, RunState
from discord_agent.domain.session import Approval, Decision, ExecutionStatus
from discord_agent.domain.workspace import LINK_MODE
from discord_agent.steps.commit import DIFF_PATH
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.world import ADA, EXECUTION, THREAD, World

OLDER = ExecutionId("m-299999999999999999")
OLDER_COMMIT = Commit(CommitSha("a" * 40), "earlier", "Earlier", ("x.py",), CommitSha("b" * 40))


def _done(world: World, **files: bytes) -> RunState:
    """A run that finished with a commit."""
    run = world.working(
        turn=2, outcome=Outcome.DONE, next=Next.END, summary="Added token login.", files_changed=("auth.py",)
    )
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.manifests[THREAD, head.manifest_id]
    new = world.workspaces.with_files(
        manifest, {"auth.py": b"new", **{name.replace("__", "."): content for name, content in files.items()}}
    )
    head = world.workspaces.save(THREAD, new, expected=head)
    run = world.commit()(replace(run, manifest_id=head.manifest_id))
    assert run.commit is not None
    world.effects.names.clear()
    world.events.emitted.clear()
    return run


def _undecided(world: World) -> None:
    """An older card that still waits for a decision, on whose branch this run started."""
    row = replace(
        world.row,
        execution_id=OLDER,
        created_at=world.clock.now() - timedelta(hours=1),
        approval=Approval(OLDER_COMMIT, MessageId("1"), "older token"),
    )
    world.executions.rows[OLDER] = row
    world.sessions.update(THREAD, pending=OLDER_COMMIT)
    world.machines.waiting.add("older token")


def _terminal(world: World) -> list[Post]:
    return [sent.post for sent in world.discord.sent.values() if sent.nonce.startswith(f"{EXECUTION}/end/")]


def test_the_answer_and_the_commit_card_are_a_fresh_message_in_the_thread() -> None:
    world = World()
    run = _done(world)
    assert world.finish()(run) == run
    [post] = _terminal(world)
    assert post.content.startswith("Added token login.")
    assert post.embeds[0].title.startswith("📝 Commit: Added token login")
    assert [button.label for button in post.buttons[0]] == ["Merge", "Reject"]
    assert [(file.name, file.content) for file in post.files] == [("token-login.diff", b"auth.py")]
    message = world.row.terminal_message_id
    assert message is not None
    assert world.discord.sent[message].channel == ChannelId(THREAD)
    assert {(message, "👍"), (message, "👎")} <= set(world.discord.reactions)


def test_a_finished_run_starts_its_approval_and_gives_the_thread_back() -> None:
    world = World()
    run = _done(world)
    world.finish()(run)
    [((machine, execution), data)] = world.machines.started.items()
    assert (machine, execution) == ("approval", decision_owner(EXECUTION))
    assert data == {"run": replace(run, card_lines=()), "message_id": world.row.terminal_message_id}
    assert world.sessions.get(THREAD).pending == run.commit
    assert world.leases.holder(THREAD) is None
    assert (world.row.status, world.row.outcome) == (ExecutionStatus.COMPLETED, Outcome.DONE)
    assert world.workspaces.published[THREAD, "auth.py"] == b"new"


def test_the_card_shows_that_the_run_is_over() -> None:
    world = World()
    world.finish()(_done(world))
    card = world.discord.with_nonce(f"{EXECUTION}/card").post
    assert card.embeds[0].title == "🏁 Execution Complete"
    assert card.buttons == ()


def test_the_end_is_audited_and_announced() -> None:
    world = World()
    world.finish()(_done(world))
    [row] = world.audit.of(events.EXECUTION_COMPLETED)
    assert (row.details["totalTurns"], row.details["finalStatus"], row.details["success"]) == (2, Outcome.DONE, True)
    assert world.events.types() == [events.EXECUTION_COMPLETED]


@pytest.mark.parametrize(
    ("outcome", "says", "event", "details"),
    [
        (Outcome.STOPPED, "Stopped", events.EXECUTION_ABORTED, {"reason": "user_stop"}),
        (Outcome.OUT_OF_TURNS, "all 20 turns are used", events.EXECUTION_ABORTED, {"reason": "max_turns"}),
        (Outcome.NEEDS_YOU, "I need you", events.EXECUTION_COMPLETED, {"totalTurns": 3, "finalStatus": "needs_you"}),
    ],
)
def test_a_run_that_ended_early_says_so_and_offers_to_go_on(
    outcome: Outcome, says: str, event: str, details: dict[str, object]
) -> None:
    world = World()
    world.finish()(world.working(turn=3, outcome=outcome, next=Next.END))
    [post] = _terminal(world)
    assert says in post.content
    assert [button.label for button in post.buttons[0]] == [
        "Continue",
        "Try with a stronger model",
        "Back to the start",
    ]
    assert world.machines.started == {}
    assert world.events.emitted == [AgenticEvent(event, THREAD, details)]


def test_files_named_in_the_answer_or_to_be_sent_are_attached_once() -> None:
    world = World()
    run = replace(
        _done(world, report__md=b"# Report"),
        summary="See <<report.md>>.",
        send_files=("report.md", "auth.py", "gone.txt"),
    )
    world.finish()(run)
    [post] = _terminal(world)
    assert [file.name for file in post.files] == ["token-login.diff", "report.md", "auth.py"]
    assert "📎 **report.md**" in post.content
    assert "To be sent, but not there: gone.txt." in post.content


def test_what_looks_like_a_secret_is_not_sent() -> None:
    world = World()
    run = replace(_done(world, __env=b"KEY=1"), summary="Look at <<.env>>.", send_files=(".env",))
    world.finish()(run)
    [post] = _terminal(world)
    assert [file.name for file in post.files] == ["token-login.diff"]


def test_a_link_that_is_named_is_no_reason_to_fail() -> None:
    world = World()
    run = _done(world, AGENTS__md=b"rules")
    head = world.workspaces.heads[THREAD]
    manifest = world.workspaces.manifests[THREAD, head.manifest_id]
    entries = [replace(entry, mode=LINK_MODE) if entry.path == "AGENTS.md" else entry for entry in manifest.files]
    head = world.workspaces.save(THREAD, replace(manifest, files=tuple(entries)), expected=head)
    world.finish()(replace(run, manifest_id=head.manifest_id, summary="See <<AGENTS.md>>.", send_files=("AGENTS.md",)))
    [post] = _terminal(world)
    assert "⚠️ To be sent, but not there: AGENTS.md." in post.content
    assert [file.name for file in post.files] == ["token-login.diff"]


def test_a_file_over_the_limit_is_named_instead_of_sent() -> None:
    world = World()
    run = replace(_done(world, big__bin=b"0" * (10 * 1024 * 1024 + 1)), send_files=("big.bin",))
    world.finish()(run)
    [post] = _terminal(world)
    assert "Too large or too many to send here: big.bin" in post.content


def test_a_long_answer_is_cut_into_messages_and_the_last_carries_the_card() -> None:
    world = World()
    run = replace(_done(world), summary="\n".join(f"line {number}" for number in range(500)))
    world.finish()(run)
    *earlier, last = _terminal(world)
    assert earlier
    assert all(post.embeds == () for post in earlier)
    assert last.embeds


def test_what_was_said_too_late_is_not_passed_over_in_silence() -> None:
    world = World()
    run = _done(world)
    world.steer("One more thing")
    world.finish()(run)
    [post] = _terminal(world)
    assert "said too late" in post.content
    assert [item.content for item in world.sessions.inbox.values()] == ["One more thing"]


def test_a_sign_that_came_too_late_is_said_to_have_changed_nothing() -> None:
    world = World()
    run = _done(world)
    world.steer("", interrupt=Interrupt.ESCALATE)
    world.finish()(run)
    [post] = _terminal(world)
    assert "came too late for this run and changed nothing" in post.content
    assert "said too late" not in post.content


def test_a_run_asked_for_in_place_replies_to_the_request_and_one_in_its_own_thread_does_not() -> None:
    world = World()
    world.finish()(_done(world))
    [post] = _terminal(world)
    assert post.reply_to is None
    world = World()
    run = replace(_done(world), channel_id=ChannelId(THREAD), message_id=MessageId("700000000000000007"))
    world.finish()(run)
    [post] = _terminal(world)
    assert post.reply_to == "700000000000000007"


def test_reactions_that_discord_refuses_do_not_fail_the_run() -> None:
    world = World()
    world.discord.failures["react"] = lambda: DiscordRefused("Missing Permissions", status=403)
    world.finish()(_done(world))
    assert world.machines.started


def test_an_older_card_that_nobody_decided_gives_way() -> None:
    world = World()
    run = _done(world)
    _undecided(world)
    world.finish()(run)
    older = world.executions.rows[OLDER].approval
    assert older is not None
    assert older.decision is Decision.SUPERSEDE
    assert world.machines.answered == {"older token": {"decision": Decision.SUPERSEDE, "by": None}}
    assert world.sessions.get(THREAD).pending == run.commit


def test_a_commit_can_be_decided_on_before_its_machine_has_started() -> None:
    world = World()
    run = _done(world)
    seen: list[Approval | None] = []

    def look(moment: str) -> None:
        if moment == "before machines.start":
            seen.append(world.row.approval)

    with world.effects.watch(look):
        world.finish()(run)
    assert run.commit is not None
    assert seen == [Approval(run.commit, world.row.terminal_message_id or MessageId(""))]


def test_an_older_card_for_which_no_machine_waits_any_more_is_settled_by_a_new_one() -> None:
    world = World()
    run = _done(world)
    _undecided(world)
    world.machines.waiting.clear()
    world.finish()(run)
    data = world.machines.started["approval", late_decision(OLDER)]
    assert isinstance(data, Mapping)
    assert isinstance(data["run"], RunState)
    assert (data["run"].execution_id, data["run"].commit) == (OLDER, OLDER_COMMIT)
    assert (data["message_id"], data["decision"], data["by"]) == (MessageId("1"), Decision.SUPERSEDE, None)


def test_an_older_card_that_somebody_decides_in_this_moment_keeps_its_decision() -> None:
    world = World()
    run = _done(world)
    _undecided(world)

    def decide(moment: str) -> None:
        if moment == "after executions.newest":
            with world.effects.watch(None):
                world.executions.decide(OLDER, OLDER_COMMIT.sha, Decision.MERGE, ADA)

    with world.effects.watch(decide):
        world.finish()(run)
    older = world.executions.rows[OLDER].approval
    assert older is not None
    assert older.decision is Decision.MERGE
    assert world.machines.answered == {}
    assert world.leases.holder(THREAD) is None


def test_a_card_that_was_decided_before_is_left_alone() -> None:
    world = World()
    run = _done(world)
    _undecided(world)
    world.executions.decide(OLDER, OLDER_COMMIT.sha, Decision.REJECT, ADA)
    world.sessions.update(THREAD, pending=None)
    world.finish()(run)
    assert world.machines.answered == {}


def _outcome_of(world: World) -> dict[str, Any]:
    return {
        "row": replace(world.row, completed_at=None),
        "terminal": _terminal(world),
        "session": world.sessions.get(THREAD),
        "started": world.machines.started,
        "answered": world.machines.answered,
        "holder": world.leases.holder(THREAD),
        "published": world.workspaces.published,
        "card": world.discord.with_nonce(f"{EXECUTION}/card").post,
        "reactions": world.discord.reactions,
    }


@pytest.mark.parametrize("with_older_card", [False, True])
def test_a_finish_that_dies_anywhere_ends_the_run_exactly_once(*, with_older_card: bool) -> None:
    def stage() -> tuple[World, RunState]:
        world = World()
        run = replace(_done(world), summary="\n".join(f"line {number}" for number in range(500)))
        if with_older_card:
            _undecided(world)
        return world, run

    world, run = stage()
    with world.effects.watch(moments := Moments()):
        world.finish()(run)
    expected = _outcome_of(world)
    for at in range(len(moments.seen)):
        world, run = stage()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.finish()(run)
        world.clock.pass_by(timedelta(seconds=2))
        assert world.finish()(run) == run
        assert _outcome_of(world) == expected, moments.seen[at]
        assert world.audit.of(events.EXECUTION_COMPLETED)
        assert events.EXECUTION_COMPLETED in world.events.types()


def test_a_finish_after_discord_was_away_posts_what_is_missing() -> None:
    world = World()
    run = _done(world)
    world.discord.failures["send"] = lambda: DiscordUnavailable("503")
    with pytest.raises(DiscordUnavailable):
        world.finish()(run)
    del world.discord.failures["send"]
    world.finish()(run)
    assert len(_terminal(world)) == 1


def test_a_run_that_is_being_ended_otherwise_is_not_ended_here() -> None:
    world = World()
    run = _done(world)
    world.executions.end(EXECUTION, Outcome.FAILED)
    with pytest.raises(Conflict):
        world.finish()(run)
    assert _terminal(world) == []


def test_a_run_that_lost_its_thread_before_it_ended_posts_nothing() -> None:
    world = World()
    run = _done(world)
    world.clock.pass_by(timedelta(hours=1))
    world.leases.acquire(THREAD, OLDER)
    with pytest.raises(LeaseLost):
        world.finish()(run)
    assert _terminal(world) == []
    assert DIFF_PATH in world.workspaces.files(THREAD)


def test_a_late_attempt_does_not_give_back_the_lease_of_a_newer_one() -> None:
    world = World()
    run = _done(world)

    def overtake(moment: str) -> None:
        if moment == "before leases.release":
            with world.effects.watch(None):
                world.leases.renew(THREAD, EXECUTION)

    with world.effects.watch(overtake):
        world.finish()(run)
    assert world.leases.holder(THREAD) == EXECUTION


def test_a_card_counts_before_anything_else_is_told_about_it() -> None:
    world = World()
    run = _done(world)
    opened: list[bool] = []

    def watch(moment: str) -> None:
        if moment == "before audit.record":
            opened.append(world.row.approval is not None)

    with world.effects.watch(watch):
        world.finish()(run)
    assert opened[0]


def test_the_answer_says_what_was_learned_and_offers_to_forget_it() -> None:
    world = World()
    run = _done(world)
    world.finish()(replace(run, lesson="Run the tests first.", lesson_id="a1b2c3d4e5f6"))
    post = _terminal(world)[-1]
    assert "🧠 learned: Run the tests first." in post.content
    assert [button.label for button in post.buttons[-1]] == ["Forget lesson"]
