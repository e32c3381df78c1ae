"""People's decision on a commit: waiting for it, and carrying it out."""

from dataclasses import dataclass

from discord_agent.domain import cards, events
from discord_agent.domain.errors import Conflict, InvalidEvent, RepositoryRefused
from discord_agent.domain.ids import ChannelId, CommitSha, ExecutionId, MessageId, UserId
from discord_agent.domain.run import Commit, RunState
from discord_agent.domain.session import Approval, Decision, Lease
from discord_agent.ports import Discord, Executions, Leases, Repositories, Sessions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.places import repository_of


@dataclass(frozen=True, slots=True)
class AwaitDecision:
    """Stores the token that ``intake`` answers when an authorised person decides."""

    executions: Executions

    def __call__(self, run: RunState, message: MessageId, task_token: str) -> None:
        """Open the commit for a decision."""
        commit = _commit_of(run)
        self.executions.await_decision(run.execution_id, Approval(commit, message, task_token))


@dataclass(frozen=True, slots=True)
class CarryOut:
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
            self._expire(run, commit)
        if decision is Decision.SUPERSEDE:
            self._show(run, commit, message, decision, by, "")
            return
        owner = ExecutionId(f"{run.execution_id}-approval")
        lease = self.leases.acquire(run.thread_id, owner)
        try:
            outcome = self._act(run, commit, decision, by)
            self._forget_pending(run, commit, lease)
        finally:
            self.leases.release(run.thread_id, owner)
        self._show(run, commit, message, decision, by, outcome)

    def _act(self, run: RunState, commit: Commit, decision: Decision, by: UserId | None) -> str:
        """What happened, as a phrase for the card: the merge's hash, or why there is none."""
        source = repository_of(self.sessions, run)
        if decision is Decision.EXPIRE:
            return ""
        if decision is Decision.REJECT:
            self.repositories.drop(run.thread_id, source, commit)
            self._tell(run, commit, events.BRANCH_REJECTED, by, commit.sha)
            return ""
        try:
            merged = self.repositories.merge(
                run.thread_id, source, commit, message=f"Merge branch '{commit.branch}'\n\nRun: {run.execution_id}\n"
            )
        except (Conflict, RepositoryRefused) as error:
            self.chronicle.note(
                run.thread_id, run.execution_id, "merge_failed", actor=by, branch=commit.branch, reason=str(error)
            )
            return str(error)
        self._tell(run, commit, events.BRANCH_MERGED, by, merged)
        return merged

    def _tell(self, run: RunState, commit: Commit, event: str, by: UserId | None, sha: CommitSha) -> None:
        self.chronicle.note(run.thread_id, run.execution_id, event, actor=by, branch=commit.branch, commitHash=sha)
        self.chronicle.announce(run.thread_id, event, branch=commit.branch, commitHash=sha)

    def _forget_pending(self, run: RunState, commit: Commit, lease: Lease) -> None:
        session = self.sessions.get(run.thread_id)
        if session.pending is not None and session.pending.sha == commit.sha:
            self.sessions.update(run.thread_id, lease=lease, pending=None)

    def _expire(self, run: RunState, commit: Commit) -> None:
        """Nobody may decide any more once the machine has stopped waiting."""
        self.executions.decide(run.execution_id, commit.sha, Decision.EXPIRE, None)

    def _show(
        self,
        run: RunState,
        commit: Commit,
        message: MessageId,
        decision: Decision,
        by: UserId | None,
        result: str,
    ) -> None:
        post = cards.decided(run, commit, decision, by=by, result=result)
        self.discord.edit(ChannelId(run.thread_id), message, post)


def _commit_of(run: RunState) -> Commit:
    if run.commit is None:
        raise InvalidEvent(f"{run.execution_id} has no commit to decide on")
    return run.commit
