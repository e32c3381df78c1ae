"""Composes the steps of an agent at work."""

from discord_agent.bootstrap import bucket
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.settings import RepositorySettings, RunSettings, WorkspaceSettings
from discord_agent.steps.checkpoint import Checkpoint
from discord_agent.steps.clarify import Clarify
from discord_agent.steps.escalation import Escalation
from discord_agent.steps.prepare import Prepare


def prepare(variables: Variables) -> Prepare:
    """The first step of a run."""
    settings = RepositorySettings.read(variables)
    parts = Parts(settings)
    return Prepare(
        parts.discord,
        parts.leases,
        parts.sessions,
        parts.executions,
        bucket.workspaces(parts, settings.bucket),
        parts.repositories(settings),
        parts.chronicle,
        parts.clock,
    )


def escalation(variables: Variables) -> Escalation:
    """Confidence, escalation and routing."""
    settings = WorkspaceSettings.read(variables)
    parts = Parts(settings)
    return Escalation(
        parts.registry(),
        bucket.journal(parts, settings.bucket),
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
