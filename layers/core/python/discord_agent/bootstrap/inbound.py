"""Composes what events from Discord go to."""

from discord_agent.adapters.machines import StepFunctionsConsole
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.queue_events import InboundEvents
from discord_agent.settings import IntakeSettings
from discord_agent.steps.commands.answering import Commands
from discord_agent.steps.commands.catalogue import Outside, use_cases
from discord_agent.steps.extending import Extend
from discord_agent.steps.intake import Intake
from discord_agent.steps.levers import Levers
from discord_agent.steps.opinions import Opinions
from discord_agent.steps.restarting import Restart
from discord_agent.steps.rewinding import Rewind
from discord_agent.steps.situation import Deployment, Situations


def intake(variables: Variables) -> InboundEvents:
    """Events from Discord."""
    settings = IntakeSettings.read(variables)
    parts = Parts(settings)
    deployment = Deployment(
        parts.bot.id,
        settings.other_bot_username,
        settings.staleness,
        settings.debounce,
        tuple(parts.registry().aliases()),
    )
    situations = Situations(parts.discord, parts.leases, parts.sessions, parts.executions, parts.clock, deployment)
    machines = parts.machines(**settings.flow_machines, approval=settings.approval_machine)
    restart = Restart(parts.executions, machines, parts.chronicle, parts.clock)
    levers = Levers(
        Extend(parts.budgets, parts.executions, machines, restart, parts.chronicle),
        Rewind(
            parts.workspaces(settings.bucket),
            parts.journal(settings.bucket),
            parts.leases,
            parts.sessions,
            parts.chronicle,
        ),
        parts.insights,
        machines,
        parts.executions,
        parts.clock,
    )
    step = Intake(
        situations,
        parts.discord,
        parts.sessions,
        parts.executions,
        machines,
        parts.markers(settings.bucket),
        parts.wakeups(settings.wakeups_queue_url),
        parts.chronicle,
        parts.clock,
        _commands(parts, settings),
        restart,
        levers,
        Opinions(parts.sessions, parts.discord, parts.chronicle, parts.clock),
        parts.workspaces(settings.bucket),
    )
    return InboundEvents(step, parts.bot, parts.discord, parts.clock, parts.metrics)


def _commands(parts: Parts, settings: IntakeSettings) -> Commands:
    seen_in_the_console = {} if settings.endpoint else settings.flow_machines
    outside = Outside(
        parts.discord,
        parts.leases,
        parts.sessions,
        parts.executions,
        parts.workspaces(settings.bucket),
        parts.audit,
        parts.budgets,
        parts.reflections,
        parts.insights,
        parts.clock,
        parts.redactor,
        StepFunctionsConsole(seen_in_the_console),
    )
    return Commands(use_cases(outside), parts.discord, parts.chronicle)
