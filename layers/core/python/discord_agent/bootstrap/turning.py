"""Composes the step in which an agent works."""

from discord_agent.bootstrap import bucket
from discord_agent.bootstrap.models import spending_of
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.settings import ModelSettings, TurnSettings
from discord_agent.steps.compaction import Compaction
from discord_agent.steps.hearing import Hearing
from discord_agent.steps.rounds import Rounds
from discord_agent.steps.turn import Turn


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
