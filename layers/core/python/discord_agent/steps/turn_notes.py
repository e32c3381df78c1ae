"""What the audit trail and other systems are told of a turn and its rounds."""

from typing import Final

from msgspec import Struct

from discord_agent.domain import events, measures
from discord_agent.domain.conversation import ToolCall, ToolResult
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import RunState
from discord_agent.steps.advancing import Played
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.rounds import PlayedRound

_PREVIEW: Final = 500


class TurnNotes(Struct, frozen=True):
    """Texts are redacted before they are cut: half a secret is not recognised later."""

    chronicle: Chronicle
    redactor: Redactor

    def round(self, run: RunState, turn: int, index: int, played: PlayedRound) -> None:
        """A round, with the beginnings of what was said, asked for and given."""
        calls = {call.id: call for call in played.reply.message.tool_calls}
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "round",
            cost=played.reply.cost,
            turn=turn,
            round=index + 1,
            model=played.reply.model,
            insteadOf=played.reply.instead_of,
            text=self._preview(played.reply.message.text),
            heard=len(played.heard),
            interrupts=list(played.interrupts),
            toolCalls=[self._described(calls[result.call_id], result) for result in played.results],
        )

    def turn(self, run: RunState, played: Played) -> None:
        """A finished turn; ``run`` is the run after it."""
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "turn",
            cost=played.cost,
            turn=run.turn,
            rounds=len(played.rounds),
            model=run.model,
            agentRole=run.role,
            confidence=run.confidence,
            status=run.status,
            fileChanges=list(played.paths),
            errorMessage=run.signals.last_error,
        )
        self.chronicle.measure(measures.TURNS)
        self.chronicle.announce(
            run.thread_id, events.TURN_COMPLETED, turn=run.turn, confidence=run.confidence, status=run.status
        )

    def _described(self, call: ToolCall, result: ToolResult) -> dict[str, object]:
        return {
            "tool": call.name,
            "input": self._preview(call.arguments),
            "output": self._preview(result.text),
            "success": result.ok,
            "durationMs": result.duration_ms,
        }

    def _preview(self, text: str) -> str:
        return self.redactor.text(text)[:_PREVIEW]
