"""Lambda entry of the sandbox."""

from functools import lru_cache
from typing import Any

from discord_agent.sandbox.processes import hide_process
from discord_agent.sandbox.service import Sandbox
from discord_agent.settings import SandboxSettings, environment


@lru_cache(maxsize=1)
def _sandbox() -> Sandbox:
    hide_process()
    return Sandbox(SandboxSettings.read(environment()).path)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a round of MCP requests."""
    return _sandbox().handle(event, context.get_remaining_time_in_millis() / 1000)
