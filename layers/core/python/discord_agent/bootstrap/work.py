"""Composes the steps of an agent at work."""

from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.settings import RepositorySettings, RunSettings, ThinkingSettings, TurnSettings, WorkspaceSettings
from discord_agent.steps.checkpoint import Checkpoint
from discord_agent.steps.clarify import Clarify
from discord_agent.steps.compaction import Compaction
from discord_agent.steps.escalation import Escalation
from discord_agent.steps.hearing import Hearing
from discord_agent.steps.plan import Plan
from discord_agent.steps.planner import Planner
from discord_agent.steps.prepare import Prepare
from discord_agent.steps.resuming import Resuming
from discord_agent.steps.rounds import Rounds
from discord_agent.steps.turn import Turn


def prepare(variables: Variables) -> Prepare:
    """The first step of a run."""
    settings = RepositorySettings.read(variables)
    parts = Parts(settings)
    return Prepare(
        parts.discord,
        parts.leases,
        parts.sessions,
        parts.executions,
        parts.workspaces(settings.bucket),
        parts.repositories(settings),
        parts.chronicle,
        parts.clock,
    )


def plan(variables: Variables) -> Plan:
    """Planning."""
    settings = ThinkingSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = parts.spending(settings)
    journal = parts.journal(settings.bucket)
    return Plan(
        spending,
        models,
        prompts,
        parts.workspaces(settings.bucket),
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
        parts.recall(models, prompts),
        parts.reflector(models, prompts, settings.bucket),
        Planner(models, prompts, parts.reflections, parts.discord, parts.chronicle, parts.clock),
    )


def turn(variables: Variables) -> Turn:
    """A turn."""
    settings = TurnSettings.read(variables)
    parts = Parts(settings)
    spending, models, prompts = parts.spending(settings)
    journal, workspaces = parts.journal(settings.bucket), parts.workspaces(settings.bucket)
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


def escalation(variables: Variables) -> Escalation:
    """Confidence, escalation and routing."""
    settings = WorkspaceSettings.read(variables)
    parts = Parts(settings)
    return Escalation(
        parts.registry(),
        parts.journal(settings.bucket),
        parts.leases,
        parts.sessions,
        parts.executions,
        parts.discord,
        parts.prompts,
        parts.chronicle,
        parts.clock,
    )


def checkpoint(variables: Variables) -> Checkpoint:
    """Checkpoints."""
    parts = Parts(RunSettings.read(variables))
    return Checkpoint(parts.leases, parts.executions, parts.discord, parts.chronicle, parts.clock)


def clarify(variables: Variables) -> Clarify:
    """Parking."""
    parts = Parts(RunSettings.read(variables))
    return Clarify(parts.leases, parts.executions, parts.sessions, parts.discord, parts.chronicle)
