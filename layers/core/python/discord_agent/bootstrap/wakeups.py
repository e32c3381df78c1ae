"""Composes what wake-ups go to."""

from discord_agent.bootstrap.models import recall, spending_of
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.queue_events import WakeupEvents
from discord_agent.settings import MachineSettings, ModelSettings, RunSettings
from discord_agent.steps.classify import Classify


def classify(variables: Variables) -> WakeupEvents:
    """Wake-ups."""
    settings = RunSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    step = Classify(
        spending,
        models,
        prompts,
        recall(parts, models, prompts),
        parts.discord,
        parts.sessions,
        parts.executions,
        parts.machines(**MachineSettings.read(variables).flow_machines),
        parts.chronicle,
        parts.clock,
    )
    return WakeupEvents(step)
