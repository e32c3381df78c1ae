"""What asks models: the model with its registry and prompts, and what is composed of them."""

from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.model import LiteLLMModel
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.adapters.tracing import TracedModel
from discord_agent.bootstrap.parts import Parts
from discord_agent.domain import measures
from discord_agent.domain.conversation import Purpose
from discord_agent.settings import ModelSettings
from discord_agent.steps.recall import Recall
from discord_agent.steps.spending import Spending


def spending_of(parts: Parts, settings: ModelSettings) -> tuple[Spending, ModelRegistry, TemplatePrompts]:
    """What it takes to ask a model and pay for it."""
    registry = parts.registry(
        {
            Purpose.DECIDE: settings.decision,
            Purpose.PLAN: settings.planner,
            Purpose.REFLECT: settings.reflector,
            Purpose.TITLE: settings.title,
        }
    )

    def access() -> ModelAccess:
        return ModelAccess.from_secret(parts.secrets.get(settings.key_secret), settings.base_url)

    # What is missing is told before money is set aside for a call.
    access()
    model = LiteLLMModel(registry, access, on_fault=lambda: parts.metrics.record(measures.MODEL_FAULTS))
    traced = TracedModel(model, parts.tracer)
    return Spending(traced, registry, parts.budgets, parts.metrics), registry, parts.prompts


def recall(parts: Parts, models: ModelRegistry, prompts: TemplatePrompts) -> Recall:
    """What tells a thread's history."""
    return Recall(parts.discord, parts.sessions, models, prompts, parts.chronicle, parts.redactor)
