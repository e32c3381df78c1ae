"""Composes what wake-ups go to."""

from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.queue_events import WakeupEvents
from discord_agent.settings import ClassifySettings
from discord_agent.steps.classify import Classify


def classify(variables: Variables) -> WakeupEvents:
    """Wake-ups."""
    settings = ClassifySettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = parts.spending(settings)
    step = Classify(
        spending,
        models,
        prompts,
        parts.recall(models, prompts),
        parts.discord,
        parts.sessions,
        parts.executions,
        parts.machines(**settings.flow_machines),
        parts.chronicle,
        parts.clock,
    )
    return WakeupEvents(step)
