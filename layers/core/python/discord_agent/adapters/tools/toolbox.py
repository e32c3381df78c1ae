"""The port ToolBox: the tools of the sandbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from discord_agent.adapters.tools.sandbox import SandboxTools
from discord_agent.domain.conversation import ToolCall, ToolSpec
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.sandbox_tools import SANDBOX_TOOLS
from discord_agent.ports import ToolRound, WorkspaceAccess


@dataclass(frozen=True, slots=True)
class Tools:
    """What a model may call."""

    sandbox: SandboxTools

    def specs(self, thread: ThreadId) -> tuple[ToolSpec, ...]:  # noqa: ARG002
        """The tools offered in a thread, in a stable order."""
        return SANDBOX_TOOLS

    def notes(self, thread: ThreadId) -> tuple[str, ...]:  # noqa: ARG002
        """What people should know about them."""
        return ()

    def run(
        self,
        calls: Sequence[ToolCall],
        access: WorkspaceAccess,
        *,
        meanwhile: Callable[[], object] | None = None,
        stop_requested: Callable[[], bool] | None = None,  # noqa: ARG002
    ) -> ToolRound:
        """Run a round's calls."""
        return self.sandbox.run(calls, access, meanwhile=meanwhile)
