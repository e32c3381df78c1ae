"""The tools of the sandbox."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from discord_agent.domain.conversation import ToolCall, ToolResult, ToolSpec
from discord_agent.domain.hiding import shown
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.domain.workspace import Manifest


class Credential(Struct, frozen=True):
    """A secret that a command of one program gets in a variable; ``as_file``: the variable names a file that holds it."""

    program: str
    variable: str
    value: str
    as_file: bool = False

    def __repr__(self) -> str:
        return shown(self, without=("value",))


class WorkspaceAccess(Struct, frozen=True):
    """What a round of tools works on."""

    thread_id: ThreadId
    execution_id: ExecutionId
    manifest: Manifest
    credentials: tuple[Credential, ...] = ()


class ToolRound(Struct, frozen=True):
    """What a round of tool calls gave: a result per call, in order, and the manifest if files changed."""

    results: tuple[ToolResult, ...]
    manifest: Manifest | None


class ToolBox(Protocol):
    """The tools of the sandbox and of the servers a thread may use, reached as an MCP client.

    Errors: SandboxUnavailable. A server that is down is none: its calls fail, and ``notes`` says so.
    """

    def specs(self, thread: ThreadId) -> tuple[ToolSpec, ...]:
        """The tools it offers in a thread, in a stable order."""

    def notes(self, thread: ThreadId) -> tuple[str, ...]:
        """What people should know about the tools of a thread: a sentence for each server that is not to be had."""

    def run(
        self,
        calls: Sequence[ToolCall],
        access: WorkspaceAccess,
        *,
        meanwhile: Callable[[], object] | None = None,
        stop_requested: Callable[[], bool] | None = None,
    ) -> ToolRound:
        """Run a round's calls in one go: reads in parallel, writes in order; both are asked twice a second.

        The sandbox hears of a stop by its marker, the calls of other servers by ``stop_requested``.
        """


class StopMarkers(Protocol):
    """The objects that tell a running command in the sandbox to end."""

    def stop(self, thread: ThreadId, execution: ExecutionId) -> None:
        """Leave the marker; the sandbox notices it within a second."""
