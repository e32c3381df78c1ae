"""Composes the steps before and after an agent's work: plan and reflect."""

from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.bootstrap import bucket
from discord_agent.bootstrap.models import recall, spending_of
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.settings import ModelSettings, WorkspaceSettings
from discord_agent.steps.plan import Plan
from discord_agent.steps.planner import Planner
from discord_agent.steps.reflect import Reflect
from discord_agent.steps.reflecting import Reflector
from discord_agent.steps.resuming import Resuming


def plan(variables: Variables) -> Plan:
    """Planning."""
    settings = WorkspaceSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    journal = bucket.journal(parts, settings.bucket)
    return Plan(
        spending,
        models,
        prompts,
        bucket.workspaces(parts, settings.bucket),
        journal,
        parts.leases,
        parts.sessions,
        parts.reflections,
        parts.insights,
        parts.executions,
        parts.discord,
        parts.chronicle,
        parts.clock,
        Resuming(models, prompts, journal, parts.sessions, parts.executions, parts.chronicle),
        recall(parts, models, prompts),
        _reflector(parts, models, prompts, settings.bucket),
        Planner(models, prompts, parts.reflections, parts.discord, parts.chronicle, parts.clock),
    )


def reflect(variables: Variables) -> Reflect:
    """Learning."""
    settings = WorkspaceSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    return Reflect(spending, parts.leases, _reflector(parts, models, prompts, settings.bucket))


def _reflector(parts: Parts, models: ModelRegistry, prompts: TemplatePrompts, name: str) -> Reflector:
    """What learns from evidence; ``name`` is the bucket's."""
    return Reflector(
        models,
        prompts,
        bucket.journal(parts, name),
        parts.sessions,
        parts.reflections,
        parts.insights,
        parts.executions,
        parts.chronicle,
        parts.clock,
        parts.redactor,
    )
