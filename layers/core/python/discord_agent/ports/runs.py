"""What is written down while a run goes on."""

from typing import Any, Protocol

from msgspec import Struct

from discord_agent.domain.conversation import Message, ModelReply, ToolResult
from discord_agent.domain.ids import (
    CommitSha,
    ExecutionId,
    MessageId,
    ThreadId,
    UserId,
)
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.options import Proposal
from discord_agent.domain.run import Outcome, RunState
from discord_agent.domain.session import (
    Approval,
    Decision,
    ExecutionRecord,
    Lease,
)
from discord_agent.domain.workspace import Manifest


class JournaledRound(Struct, frozen=True):
    """A round as far as it got: what people said before it, the reply, and the results once they were in.

    ``interrupts`` are what people wanted of the run besides being heard; some of them end a round before the model
    is asked, whose reply is empty then. ``paid_from`` is the slice of money that paid for the reply.
    """

    reply: ModelReply
    heard: tuple[Message, ...] = ()
    results: tuple[ToolResult, ...] | None = None
    manifest: Manifest | None = None
    interrupts: tuple[Interrupt, ...] = ()
    paid_from: str = ""


class Context(Struct, frozen=True):
    """The model's current message list and the turn after which it was saved.

    ``version`` names the stored list that this one was made from; "" when there was none. ``reached`` is the run as
    it was when the list was saved; None for a list that was saved by another step than ``turn``.
    """

    messages: tuple[Message, ...]
    turn: int
    version: str = ""
    reached: RunState | None = None


class Journal(Protocol):
    """What happened inside the turns of a run. A write that another attempt made first raises LeaseLost."""

    def load_context(self, run: RunState) -> Context | None:
        """The message list after the last finished turn."""

    def save_context(self, run: RunState, context: Context) -> Context:
        """Store a message list in place of the one it was made from; LeaseLost if another attempt stored one since.

        Returns it with its new version, for the next list to be made from.
        """

    def context_at(self, thread: ThreadId, execution: ExecutionId, turn: int) -> Context | None:
        """The message list as it was after a turn (0: the opening) of any run; None if it never came that far."""

    def rounds(self, run: RunState, turn: int) -> tuple[JournaledRound, ...]:
        """The rounds of a turn that an earlier attempt journalled, in order."""

    def record_reply(self, run: RunState, turn: int, number: int, begun: JournaledRound) -> None:
        """Journal a reply, and what people said and wanted before it, ahead of its tool calls."""

    def record_results(
        self, run: RunState, turn: int, number: int, results: tuple[ToolResult, ...], manifest: Manifest | None
    ) -> None:
        """Journal what the tool calls gave."""


class Proposals(Protocol):
    """What the models that were asked side by side proposed in a run."""

    def keep(self, run: RunState, number: int, proposal: Proposal) -> None:
        """Store the proposal of a voice; what an earlier attempt stored is replaced."""

    def load(self, run: RunState, number: int) -> Proposal:
        """The proposal of a voice that kept one."""


class Leases(Protocol):
    """One writer per thread."""

    def acquire(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        """Take a free or expired lease (or one's own again); Conflict while another run holds it."""

    def renew(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        """Prolong one's own lease and raise its fence; LeaseLost if another run took it."""

    def holds(self, lease: Lease) -> bool:
        """Whether ``lease`` is still the newest, by a consistent read."""

    def release(self, thread: ThreadId, owner: ExecutionId, *, fence: int | None = None) -> None:
        """Give up one's own lease; nothing happens if it is not held, or was renewed since ``fence``."""

    def holder(self, thread: ThreadId) -> ExecutionId | None:
        """Who holds an unexpired lease."""


class Executions(Protocol):
    """The rows of runs."""

    def create(self, record: ExecutionRecord) -> bool:
        """Store a new row; False if it exists."""

    def get(self, execution: ExecutionId) -> ExecutionRecord | None:
        """One row, by a consistent read."""

    def newest(self, thread: ThreadId, *, limit: int = 10) -> tuple[ExecutionRecord, ...]:
        """The newest rows of a thread, newest first."""

    def update(self, execution: ExecutionId, *, lease: Lease | None = None, **fields: Any) -> None:
        """Set fields of ExecutionRecord by name; with ``lease``, LeaseLost unless it is still the newest."""

    def request_stop(self, execution: ExecutionId, by: UserId) -> bool:
        """Set the stop flag of a run that has not ended; False if it has, or was already asked to."""

    def stop_requested(self, execution: ExecutionId) -> bool:
        """Whether the stop flag is set."""

    def park(self, execution: ExecutionId, task_token: str, question: str) -> None:
        """Store the token a parked run waits on."""

    def unpark(self, execution: ExecutionId) -> str:
        """Take the token, once; Conflict if the run is not parked."""

    def await_decision(self, execution: ExecutionId, approval: Approval) -> None:
        """Store a commit that waits for a decision, with its token."""

    def decide(self, execution: ExecutionId, sha: CommitSha, decision: Decision, by: UserId | None) -> str:
        """Record the decision once and return the token; Conflict if decided already, or for another commit."""

    def end(self, execution: ExecutionId, outcome: Outcome) -> bool:
        """Claim the right to post the terminal message; False if it was posted, or is about to be with another outcome.

        A claim that was not followed by ``ended`` may be repeated at once with the same outcome, because its posts
        carry the same nonces; with another outcome only after a minute.
        """

    def ended(self, execution: ExecutionId, message: MessageId) -> None:
        """Note which message was the terminal one."""
