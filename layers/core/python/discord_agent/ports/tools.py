"""The tools of the sandbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from discord_agent.domain.conversation import ToolCall, ToolResult, ToolSpec
from discord_agent.domain.ids import (
    ExecutionId,
    ThreadId,
)
from discord_agent.domain.workspace import Manifest


@dataclass(frozen=True, slots=True)
class WorkspaceAccess:
    """What a round of tools works on."""

    thread_id: ThreadId
    execution_id: ExecutionId
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ToolRound:
    """What a round of tool calls gave: a result per call, in order, and the manifest if files changed."""

    results: tuple[ToolResult, ...]
    manifest: Manifest | None


class ToolBox(Protocol):
    """The tools of the sandbox, reached as an MCP client. Errors: SandboxUnavailable."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools it offers, in a stable order."""

    def run(
        self, calls: Sequence[ToolCall], access: WorkspaceAccess, *, meanwhile: Callable[[], object] | None = None
    ) -> ToolRound:
        """Run a round's calls in one go: reads in parallel, writes in order; ``meanwhile`` is called twice a second."""


class StopMarkers(Protocol):
    """The objects that tell a running command in the sandbox to end."""

    def stop(self, thread: ThreadId, execution: ExecutionId) -> None:
        """Leave the marker; the sandbox notices it within a second."""
