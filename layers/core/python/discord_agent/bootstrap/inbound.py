"""Composes what events from Discord go to."""

from functools import cache
from typing import TYPE_CHECKING

from discord_agent.adapters.late import late
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.queue_events import InboundEvents
from discord_agent.settings import IntakeSettings, MachineSettings
from discord_agent.steps.commands.answering import Commands
from discord_agent.steps.intake import Intake
from discord_agent.steps.opinions import Opinions
from discord_agent.steps.restarting import Restart
from discord_agent.steps.situation import Deployment, Situations

if TYPE_CHECKING:
    from discord_agent.bootstrap.seldom import Seldom


def intake(variables: Variables) -> InboundEvents:
    """Events from Discord."""
    settings, flows = IntakeSettings.read(variables), MachineSettings.read(variables)
    parts = Parts(settings)
    deployment = Deployment(
        parts.bot.id,
        settings.other_bot_username,
        settings.staleness,
        settings.debounce,
        tuple(parts.registry().aliases()),
    )
    situations = Situations(parts.discord, parts.leases, parts.sessions, parts.executions, parts.clock, deployment)
    machines = parts.machines(**flows.flow_machines, approval=settings.approval_machine)
    restart = Restart(parts.executions, machines, parts.chronicle, parts.clock)
    seldom = late(lambda: _seldom(parts, settings))
    use_cases = cache(lambda: seldom.use_cases(flows))
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
        Commands(lambda name: use_cases()[name], parts.discord, parts.chronicle),
        restart,
        late(lambda: seldom.levers(machines, restart)),
        Opinions(parts.sessions, parts.discord, parts.chronicle, parts.clock),
        late(lambda: seldom.workspaces),
    )
    return InboundEvents(step, parts.bot, parts.discord, parts.clock, parts.metrics)


def _seldom(parts: Parts, settings: IntakeSettings) -> "Seldom":
    from discord_agent.bootstrap.seldom import Seldom  # noqa: PLC0415 - most events are messages

    return Seldom(parts, settings)
