"""What goes on in a thread, and what went on: read from the records, never from memory."""

from datetime import datetime

from msgspec import Struct

from discord_agent.domain import feedback, policy, thread_cards
from discord_agent.domain.commands import COMMANDS
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.posts import Embed, Post
from discord_agent.domain.session import ExecutionRecord, ItemKind
from discord_agent.domain.thread_cards import ThreadState
from discord_agent.ports import AuditLog, Clock, Console, Executions, Leases, Sessions
from discord_agent.steps.commands.asked import Asked
from discord_agent.steps.launch import MACHINES

_LOGS_SHOWN = 5
_ESCALATIONS_SHOWN = 10
_BASICS = (
    "Mention me with a task or a question; in a thread of mine, just write.\n"
    f"While I work, what you write reaches me, and one of {', '.join(f'`{word}`' for word in Interrupt)} at the beginning "
    "does what it says. 🛑 under a message of mine stops me; 👍 merges and 👎 rejects a commit."
)


def assist(_: Asked) -> Post:
    """How to talk to it, then all commands, one line each."""
    lines = "\n".join(f"`/{command.name}` {command.description}" for command in COMMANDS)
    return Post(embeds=(Embed(title="What you can ask me to do", description=f"{_BASICS}\n\n{lines}"),))


class Status(Struct, frozen=True):
    """``/status``."""

    sessions: Sessions
    executions: Executions
    leases: Leases
    audit: AuditLog
    clock: Clock
    console: Console

    def __call__(self, asked: Asked) -> Post:
        """What goes on in the thread; who may configure the bot also sees where its execution is shown."""
        thread = asked.thread
        session = self.sessions.get(thread)
        newest = next(iter(self.executions.newest(thread, limit=1)), None)
        waiting = [len(self.sessions.waiting(thread, kind)) for kind in ItemKind]
        state = ThreadState(
            session,
            at_work=self._record(self.leases.holder(thread) or session.parked),
            newest=self._record(newest.execution_id) if newest else None,
            waiting_messages=sum(waiting),
            checkpoint=self._checkpoint(thread),
        )
        return thread_cards.status(state, self.clock.now(), execution=self._page(asked, state.run))

    def _page(self, asked: Asked, run: ExecutionRecord | None) -> str:
        if run is None:
            return ""
        settings = self.sessions.settings(asked.event.guild_id)
        verdict = policy.decide(policy.Action.CONFIGURE, asked.event.author, settings, asked.place)
        allowed = isinstance(verdict, policy.Allowed)
        return self.console.address(MACHINES[run.flow], run.execution_id) if allowed else ""

    def _record(self, execution: ExecutionId | None) -> ExecutionRecord | None:
        return self.executions.get(execution) if execution else None

    def _checkpoint(self, thread: ThreadId) -> tuple[int, datetime] | None:
        newest = self.audit.newest(thread, "checkpoint", limit=1)
        return next(((int(entry.details["turn"]), entry.at) for entry in newest), None)


class Logs(Struct, frozen=True):
    """``/logs``."""

    executions: Executions
    clock: Clock

    def __call__(self, asked: Asked) -> Post:
        """The newest runs of the thread."""
        count = asked.invocation.number("count", _LOGS_SHOWN)
        return thread_cards.logs(self.executions.newest(asked.thread, limit=count), self.clock.now())


class Confidence(Struct, frozen=True):
    """``/confidence``."""

    sessions: Sessions
    audit: AuditLog

    def __call__(self, asked: Asked) -> Post:
        """The thread's confidence and how it moved over the newest turns."""
        session = self.sessions.get(asked.thread)
        turns = self.audit.newest(asked.thread, "turn", limit=feedback.TREND_TURNS)
        oldest_first = [int(entry.details["confidence"]) for entry in reversed(turns)]
        return thread_cards.confidence(session.confidence, oldest_first, session.escalations)


class Escalations(Struct, frozen=True):
    """``/escalation``."""

    sessions: Sessions
    clock: Clock

    def __call__(self, asked: Asked) -> Post:
        """The thread's newest hand-overs to stronger models."""
        newest_first = self.sessions.get(asked.thread).escalations[::-1]
        return thread_cards.escalations(newest_first[:_ESCALATIONS_SHOWN], self.clock.now())
