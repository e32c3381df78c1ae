"""People's decision on a commit: waiting for it, and carrying it out."""

from msgspec import Struct

from discord_agent.domain import cards, events
from discord_agent.domain.errors import Conflict, DiscordRefused, InvalidEvent, RepositoryRefused
from discord_agent.domain.ids import ChannelId, CommitSha, MessageId, UserId, decision_owner
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Commit, RunState
from discord_agent.domain.session import Approval, Decision, Lease
from discord_agent.ports import Discord, Executions, Leases, Repositories, Sessions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.places import repository_of


class AwaitDecision(Struct, frozen=True):
    """Stores the token that ``intake`` answers when an authorised person decides."""

    executions: Executions

    def __call__(self, run: RunState, message: MessageId, task_token: str) -> None:
        """Open the commit for a decision; Conflict if somebody was faster and has decided already."""
        commit = _commit_of(run)
        self.executions.await_decision(run.execution_id, Approval(commit, message, task_token))


class CarryOut(Struct, frozen=True):
    """Merges or drops the branch under the thread's lease, and shows on the card what became of it."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    executions: Executions
    repositories: Repositories
    chronicle: Chronicle

    def __call__(self, run: RunState, message: MessageId, decision: Decision, by: UserId | None) -> None:
        """Act on a decision; Conflict while a run holds the thread (the machine tries again)."""
        commit = _commit_of(run)
        if decision is Decision.EXPIRE:
            decision, by = self._expire(run, commit)
        result = "" if decision is Decision.SUPERSEDE else self._settle(run, commit, decision, by)
        self._show(run, message, cards.decided(run, commit, decision, by=by, result=result))

    def _expire(self, run: RunState, commit: Commit) -> tuple[Decision, UserId | None]:
        """Nobody may decide any more; what somebody decided in the last moment, or this attempt's earlier one, counts."""
        try:
            self.executions.decide(run.execution_id, commit.sha, Decision.EXPIRE, None)
        except Conflict:
            record = self.executions.get(run.execution_id)
            approval = record.approval if record else None
            if approval is None or approval.decision is None:
                raise
            return approval.decision, approval.decided_by
        return Decision.EXPIRE, None

    def _settle(self, run: RunState, commit: Commit, decision: Decision, by: UserId | None) -> str:
        """Act under the thread's lease; what happened, as a phrase for the card."""
        owner = decision_owner(run.execution_id)
        lease = self.leases.acquire(run.thread_id, owner)
        try:
            result = self._act(run, commit, decision, by)
            self._forget_pending(run, commit, lease)
        finally:
            self.leases.release(run.thread_id, owner, fence=lease.fence)
        return result

    def _act(self, run: RunState, commit: Commit, decision: Decision, by: UserId | None) -> str:
        """The merge's hash, why there was no merge, or "" when there is nothing to add."""
        source = repository_of(self.sessions, run)
        match decision:
            case Decision.MERGE:
                return self._merge(run, source, commit, by)
            case Decision.REJECT:
                self._drop(run, source, commit)
                self._tell(run, commit, events.BRANCH_REJECTED, by, commit.sha)
        return ""

    def _merge(self, run: RunState, source: str, commit: Commit, by: UserId | None) -> str:
        message = f"Merge branch '{commit.branch}'\n\nRun: {run.execution_id}\n"
        try:
            merged = self.repositories.merge(run.thread_id, source, commit, message=message)
        except (Conflict, RepositoryRefused) as error:
            self.chronicle.note(
                run.thread_id, run.execution_id, "merge_failed", actor=by, branch=commit.branch, reason=str(error)
            )
            return str(error)
        self._tell(run, commit, events.BRANCH_MERGED, by, merged)
        return merged

    def _drop(self, run: RunState, source: str, commit: Commit) -> None:
        try:
            self.repositories.drop(run.thread_id, source, commit)
        except Conflict as error:
            # A Conflict of this step means that the thread is busy; no waiting brings a moved branch back.
            raise RepositoryRefused(str(error)) from error

    def _tell(self, run: RunState, commit: Commit, event: str, by: UserId | None, sha: CommitSha) -> None:
        self.chronicle.note(run.thread_id, run.execution_id, event, actor=by, branch=commit.branch, commitHash=sha)
        self.chronicle.announce(run.thread_id, event, branch=commit.branch, commitHash=sha)

    def _forget_pending(self, run: RunState, commit: Commit, lease: Lease) -> None:
        session = self.sessions.get(run.thread_id)
        if session.pending is not None and session.pending.sha == commit.sha:
            self.sessions.update(run.thread_id, lease=lease, pending=None)

    def _show(self, run: RunState, message: MessageId, post: Post) -> None:
        """The card as it ends; one that somebody deleted is no reason to undo what was done."""
        try:
            self.discord.edit(ChannelId(run.thread_id), message, post)
        except DiscordRefused as error:
            self.chronicle.note(run.thread_id, run.execution_id, "card_refused", reason=str(error))


def _commit_of(run: RunState) -> Commit:
    if run.commit is None:
        raise InvalidEvent(f"{run.execution_id} has no commit to decide on")
    return run.commit
