"""Composes the steps that answer with completions: the flows simple, branch and breakglass."""

from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.settings import RespondSettings, ThinkingSettings
from discord_agent.steps.answering import Answering
from discord_agent.steps.brainstorm import Brainstorm
from discord_agent.steps.breakglass import Breakglass
from discord_agent.steps.consolidate import Consolidate
from discord_agent.steps.frame import Frame
from discord_agent.steps.respond import Respond
from discord_agent.steps.spending import Spending


def respond(variables: Variables) -> Respond:
    """The flow ``simple``."""
    settings = RespondSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = parts.spending(settings)
    return Respond(_answering(parts, spending), models, prompts, parts.discord, parts.recall(models, prompts))


def breakglass(variables: Variables) -> Breakglass:
    """The flow ``breakglass``."""
    settings = RespondSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = parts.spending(settings)
    return Breakglass(_answering(parts, spending), models, prompts, parts.recall(models, prompts))


def frame(variables: Variables) -> Frame:
    """The first step of the flow ``branch``."""
    settings = RespondSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = parts.spending(settings)
    return Frame(
        spending,
        models,
        prompts,
        parts.discord,
        parts.sessions,
        parts.executions,
        parts.chronicle,
        parts.clock,
        parts.recall(models, prompts),
    )


def brainstorm(variables: Variables) -> Brainstorm:
    """One voice of the flow ``branch``."""
    settings = ThinkingSettings.read(variables)
    parts = Parts(settings)
    spending, _, prompts = parts.spending(settings)
    return Brainstorm(
        spending,
        prompts,
        parts.discord,
        parts.executions,
        parts.proposals(settings.bucket),
        parts.chronicle,
        parts.clock,
        parts.redactor,
    )


def consolidate(variables: Variables) -> Consolidate:
    """The last step of the flow ``branch``."""
    settings = ThinkingSettings.read(variables)
    parts = Parts(settings)
    spending, _, prompts = parts.spending(settings)
    return Consolidate(
        spending,
        prompts,
        parts.discord,
        parts.executions,
        parts.proposals(settings.bucket),
        parts.terminal,
        parts.chronicle,
        parts.clock,
        parts.redactor,
    )


def _answering(parts: Parts, spending: Spending) -> Answering:
    return Answering(
        spending, parts.discord, parts.executions, parts.terminal, parts.chronicle, parts.clock, parts.redactor
    )
