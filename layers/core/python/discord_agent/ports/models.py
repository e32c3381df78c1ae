"""Models, their registry and their prompts."""

from collections.abc import Callable
from typing import Any, Protocol

from discord_agent.domain.conversation import ModelReply, ModelRequest
from discord_agent.domain.ids import (
    ModelName,
)
from discord_agent.domain.money import Price


class LanguageModel(Protocol):
    """Any model behind one call. Errors: ModelUnavailable, ModelRefused, Stopped."""

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        """Ask once; ``stop_requested`` is polled about twice a second while waiting and ends the call with Stopped."""


class Models(Protocol):
    """The model registry."""

    def price(self, model: ModelName) -> Price | None:
        """Its price, or None when it is not known."""

    def for_role(self, role: str) -> ModelName:
        """The model of an agent role."""

    def for_task(self, task_type: str) -> ModelName:
        """The model of a task without tools."""

    def for_purpose(self, purpose: str) -> ModelName:
        """The model of decide, plan, reflect or title."""

    def next_up(self, model: ModelName) -> ModelName:
        """The next model of the escalation path; itself at the top."""


class Prompts(Protocol):
    """Prompt templates; a missing template or variable is InvalidSettings."""

    def render(self, name: str, **values: Any) -> str:
        """Fill a template in one pass; inserted text is not expanded again."""
