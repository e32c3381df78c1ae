"""Models, their registry and their prompts."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from discord_agent.domain.conversation import ModelReply, ModelRequest
from discord_agent.domain.ids import (
    ModelName,
)
from discord_agent.domain.money import Price


class LanguageModel(Protocol):
    """Any model behind one call. Errors: ModelUnavailable, ModelRefused, ContextTooLong, Stopped."""

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        """Ask once; ``stop_requested`` is polled about twice a second while waiting and ends the call with Stopped."""


class Models(Protocol):
    """The model registry; an unknown model has careful sizes, no vision, no price and no fallbacks."""

    def price(self, model: ModelName, tokens: int = 0) -> Price | None:
        """Its price for a request of so many ``tokens``, or None when it is not known."""

    def context(self, model: ModelName) -> int:
        """The most tokens of one request."""

    def output(self, model: ModelName) -> int:
        """The most tokens of one answer."""

    def vision(self, model: ModelName) -> bool:
        """Whether it can be shown images."""

    def fallbacks(self, model: ModelName) -> tuple[ModelName, ...]:
        """Who answers, in this order, when its provider fails: an estimate of a call takes the dearest of all of them."""

    def for_role(
        self, role: str, *, preferred: ModelName | None = None, excluding: Collection[ModelName] = ()
    ) -> ModelName:
        """The model of an agent role.

        ``preferred`` counts if it is in the role's tier. A role with peers, code review, takes at random another
        model of the tier when some are ``excluding``: a reviewer is not the author.
        """

    def for_task(self, task_type: str) -> ModelName:
        """The model of a task without tools."""

    def for_purpose(self, purpose: str) -> ModelName:
        """The model of a purpose such as decide, plan, reflect, title, compact or summarize."""

    def next_up(self, model: ModelName) -> ModelName:
        """The next model of the escalation path; itself at the top."""

    def tier(self, name: str) -> tuple[ModelName, ...]:
        """The models of a tier, ``tier1`` to ``tier4``, in order; InvalidSettings for an unknown one."""

    def aliases(self) -> Mapping[str, ModelName]:
        """The aliases of the emergency override, in lower case."""

    def breakglass(self, alias: str) -> ModelName | None:
        """The model of an emergency alias, in whatever case; None for an unknown one."""


class Prompts(Protocol):
    """Prompt templates; a missing template or variable is InvalidSettings."""

    def render(self, name: str, **values: Any) -> str:
        """Fill a template in one pass; inserted text is not expanded again."""
