"""Composes the steps that answer with completions: the flows simple, branch and breakglass."""

from discord_agent.bootstrap import bucket
from discord_agent.bootstrap.models import recall, spending_of
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.settings import ModelSettings, RunSettings, WorkspaceSettings
from discord_agent.steps.answering import Answering
from discord_agent.steps.brainstorm import Brainstorm
from discord_agent.steps.breakglass import Breakglass
from discord_agent.steps.consolidate import Consolidate
from discord_agent.steps.frame import Frame
from discord_agent.steps.respond import Respond
from discord_agent.steps.spending import Spending


def respond(variables: Variables) -> Respond:
    """The flow ``simple``."""
    settings = RunSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    return Respond(_answering(parts, spending), models, prompts, parts.discord, recall(parts, models, prompts))


def breakglass(variables: Variables) -> Breakglass:
    """The flow ``breakglass``."""
    settings = RunSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    return Breakglass(_answering(parts, spending), models, prompts, recall(parts, models, prompts))


def frame(variables: Variables) -> Frame:
    """The first step of the flow ``branch``."""
    settings = RunSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    return Frame(
        spending,
        models,
        prompts,
        parts.discord,
        parts.sessions,
        parts.executions,
        parts.chronicle,
        parts.clock,
        recall(parts, models, prompts),
    )


def brainstorm(variables: Variables) -> Brainstorm:
    """One voice of the flow ``branch``."""
    settings = WorkspaceSettings.read(variables)
    parts = Parts(settings)
    spending, _, prompts = spending_of(parts, ModelSettings.read(variables))
    return Brainstorm(
        spending,
        prompts,
        parts.discord,
        parts.executions,
        bucket.proposals(parts, settings.bucket),
        parts.chronicle,
        parts.clock,
        parts.redactor,
    )


def consolidate(variables: Variables) -> Consolidate:
    """The last step of the flow ``branch``."""
    settings = WorkspaceSettings.read(variables)
    parts = Parts(settings)
    spending, _, prompts = spending_of(parts, ModelSettings.read(variables))
    return Consolidate(
        spending,
        prompts,
        parts.discord,
        parts.executions,
        bucket.proposals(parts, settings.bucket),
        parts.terminal,
        parts.chronicle,
        parts.clock,
        parts.redactor,
    )


def _answering(parts: Parts, spending: Spending) -> Answering:
    return Answering(
        spending, parts.discord, parts.executions, parts.terminal, parts.chronicle, parts.clock, parts.redactor
    )
