"""Going back: a thread's workspace and conversation as they were after an earlier turn."""

from msgspec import Struct

from discord_agent.domain import events
from discord_agent.domain.errors import Conflict, InvalidInput
from discord_agent.domain.ids import ManifestId, UserId, rewinder_of
from discord_agent.domain.run import Resumption, RunState
from discord_agent.domain.session import ExecutionRecord, Lease
from discord_agent.domain.workspace import Head
from discord_agent.ports import Journal, Leases, Sessions, Workspaces
from discord_agent.steps.chronicle import Chronicle


class Rewind(Struct, frozen=True):
    """Restores the files at once and leaves a mark by which the thread's next run takes over the conversation.

    Nothing is lost: the workspace as it is now stays as a checkpoint of its own, and later turns stay where they are.
    """

    workspaces: Workspaces
    journal: Journal
    leases: Leases
    sessions: Sessions
    chronicle: Chronicle

    def __call__(self, record: ExecutionRecord, turn: int, actor: UserId) -> None:
        """Go back to the end of ``turn`` (0: before the first one) of an ended run; again changes nothing more.

        Raises Conflict, with a sentence for people, while a run is at work or waits in the thread; InvalidInput when
        the run never came to that turn.
        """
        goal = self._goal(record, turn)
        holder = rewinder_of(record.execution_id)
        if self.sessions.get(record.thread_id).parked is not None:
            raise Conflict("A run waits for an answer in this thread; answer it, or stop it first.")
        try:
            lease = self.leases.acquire(record.thread_id, holder)
        except Conflict as error:
            raise Conflict("A run is at work in this thread; stop it first.") from error
        try:
            self._restore(record, turn, goal, lease, actor)
        finally:
            self.leases.release(record.thread_id, holder, fence=lease.fence)

    def _goal(self, record: ExecutionRecord, turn: int) -> ManifestId:
        context = self.journal.context_at(record.thread_id, record.execution_id, turn) if turn >= 0 else None
        reached: RunState | None = context.reached if context else None
        if reached is None or reached.manifest_id is None:
            raise InvalidInput(f"This run has no turn {turn} to go back to; it made {record.turns}.")
        return reached.manifest_id

    def _restore(self, record: ExecutionRecord, turn: int, goal: ManifestId, lease: Lease, actor: UserId) -> None:
        head = self.workspaces.head(record.thread_id)
        before = self.sessions.get(record.thread_id).resume
        manifest = self.workspaces.load(record.thread_id, goal)
        mark = Resumption(record.execution_id, turn, self._present(head, goal, before))
        # The mark first: whoever dies between the two finds the present in it when the event comes again.
        self.sessions.update(
            record.thread_id, lease=lease, resume=mark, dirty=True, **({"base": manifest.base} if manifest.base else {})
        )
        if head is None or head.manifest_id != goal:
            self.workspaces.save(record.thread_id, manifest, expected=head)
        if mark != before:
            self.chronicle.note(
                record.thread_id,
                record.execution_id,
                events.REWOUND,
                actor=actor,
                turn=turn,
                manifestId=goal,
                presentManifestId=mark.present,
            )

    def _present(self, head: Head | None, goal: ManifestId, before: Resumption | None) -> ManifestId | None:
        """What to keep as the present: of several rewinds in a row, the state before the first."""
        if before is not None and before.present is not None:
            return before.present
        return head.manifest_id if head is not None and head.manifest_id != goal else None


def resumption_of(record: ExecutionRecord) -> Resumption | None:
    """Where the next try of an ended run goes on; None when it did not finish a turn."""
    return Resumption(record.execution_id, record.turns) if record.turns else None
