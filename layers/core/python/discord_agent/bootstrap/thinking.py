"""Composes the steps in which an agent thinks: plan, turn and reflect."""

from discord_agent.bootstrap import bucket
from discord_agent.bootstrap.models import recall, reflector, spending_of
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.settings import ModelSettings, TurnSettings, WorkspaceSettings
from discord_agent.steps.compaction import Compaction
from discord_agent.steps.hearing import Hearing
from discord_agent.steps.plan import Plan
from discord_agent.steps.planner import Planner
from discord_agent.steps.reflect import Reflect
from discord_agent.steps.resuming import Resuming
from discord_agent.steps.rounds import Rounds
from discord_agent.steps.turn import Turn


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
        reflector(parts, models, prompts, settings.bucket),
        Planner(models, prompts, parts.reflections, parts.discord, parts.chronicle, parts.clock),
    )


def turn(variables: Variables) -> Turn:
    """A turn."""
    settings = TurnSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    journal, workspaces = bucket.journal(parts, settings.bucket), bucket.workspaces(parts, settings.bucket)
    hearing = Hearing(parts.sessions, prompts, parts.discord, workspaces, parts.chronicle)
    rounds = Rounds(parts.toolbox(settings), workspaces, journal, parts.leases, hearing, parts.chronicle)
    return Turn(
        rounds,
        spending,
        Compaction(models, prompts, parts.chronicle),
        workspaces,
        journal,
        parts.leases,
        parts.sessions,
        parts.executions,
        parts.discord,
        prompts,
        parts.chronicle,
        parts.clock,
        redactor=parts.redactor,
    )


def reflect(variables: Variables) -> Reflect:
    """Learning."""
    settings = WorkspaceSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = spending_of(parts, ModelSettings.read(variables))
    return Reflect(spending, parts.leases, reflector(parts, models, prompts, settings.bucket))
