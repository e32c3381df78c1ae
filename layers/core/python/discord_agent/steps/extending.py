"""Allowing a run to spend more."""

import hashlib

from msgspec import Struct

from discord_agent.domain import budget
from discord_agent.domain.budget import Payer
from discord_agent.domain.errors import Conflict
from discord_agent.domain.ids import UserId, retry_of
from discord_agent.domain.run import Outcome, Waiting
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Budgets, Executions, Machines
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.restarting import Restart


class Extend(Struct, frozen=True):
    """Raises every limit that leaves the run less than one step of money, by that step.

    Whether ``actor`` may spend is decided before. Repeated for the same question or ending it grants nothing more.
    """

    budgets: Budgets
    executions: Executions
    machines: Machines
    restart: Restart
    chronicle: Chronicle

    def __call__(self, record: ExecutionRecord, actor: UserId) -> None:
        """Grant the money, then let the run go on, or start its next try if it ended for want of money.

        Conflict, with a sentence for people, when that try has ended too: it has a button of its own.
        """
        if record.outcome is not None and self._was_tried_again(record):
            raise Conflict("This was tried again already; go on from the newest message.")
        accounts = self.budgets.accounts_of(Payer(record.execution_id, record.author_id, record.guild_id))
        amount = budget.extension(accounts, record.needed)
        short = budget.short_of(self.budgets.balances(accounts), amount)
        if short:
            # Noted first: a grant that nobody can trace is worse than a note whose grant has to be made again.
            self.chronicle.note(
                record.thread_id,
                record.execution_id,
                "budget_extended",
                actor=actor,
                amount=str(amount),
                limits=[account.period for account in short],
            )
            self.budgets.extend(short, amount, grant=_grant(record))
        if record.waiting is Waiting.MONEY and record.outcome is None:
            self._wake(record)
        elif record.outcome is Outcome.OUT_OF_BUDGET:
            self.restart(record, record.author_id, record.author_name, actor=actor)

    def _was_tried_again(self, record: ExecutionRecord) -> bool:
        again = self.executions.get(retry_of(record.execution_id))
        return again is not None and again.outcome is not None

    def _wake(self, record: ExecutionRecord) -> None:
        """Let a parked run go on; one that was woken already, or stopped, needs no more."""
        try:
            token = self.executions.unpark(record.execution_id)
        except Conflict:
            return
        self.machines.succeed(token, {})


def _grant(record: ExecutionRecord) -> str:
    """The same for every press on one question, whose token no other parking has, and on one ending."""
    occasion = hashlib.sha256(record.task_token.encode()).hexdigest()[:16] if record.task_token else "ended"
    return f"{record.execution_id}/{occasion}"
