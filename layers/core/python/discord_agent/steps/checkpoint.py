"""A checkpoint that people see: which state of the workspace a run can be taken up from."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import cards
from discord_agent.domain.run import Next, RunState
from discord_agent.ports import Clock, Discord, Executions, Leases
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold


class Checkpoint(Struct, frozen=True):
    """Every turn is saved anyway; a checkpoint names one for people."""

    leases: Leases
    executions: Executions
    discord: Discord
    chronicle: Chronicle
    clock: Clock

    def __call__(self, run: RunState) -> RunState:
        """Record the checkpoint, show it, go on with the next turn."""
        lease = hold(self.leases, run)
        self.executions.update(run.execution_id, lease=lease, manifest_id=run.manifest_id, turns=run.turn)
        record_checkpoint(self.chronicle, run)
        card = Card(self.discord, self.clock, run)
        card.say(cards.checkpoint_line(run))
        return replace(card.keep(run), next=Next.TURN)


def record_checkpoint(chronicle: Chronicle, run: RunState) -> None:
    """Note in the audit trail which manifest a turn ended on."""
    chronicle.note(
        run.thread_id,
        run.execution_id,
        "checkpoint",
        turn=run.turn,
        maxTurns=run.max_turns,
        manifestId=run.manifest_id,
        confidence=run.confidence,
        files=len(run.files_changed),
    )
