"""Composes what few events from Discord need: commands, levers, the files of a thread that is deleted."""

from collections.abc import Mapping
from functools import cached_property

from discord_agent.adapters.machines import StepFunctionsConsole, StepFunctionsMachines
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.bootstrap import bucket
from discord_agent.bootstrap.parts import Parts
from discord_agent.settings import IntakeSettings, MachineSettings
from discord_agent.steps.commands import catalogue
from discord_agent.steps.commands.asked import UseCase
from discord_agent.steps.commands.catalogue import Outside
from discord_agent.steps.extending import Extend
from discord_agent.steps.levers import Levers
from discord_agent.steps.restarting import Restart
from discord_agent.steps.rewinding import Rewind


class Seldom:
    """Each made on first use."""

    def __init__(self, parts: Parts, settings: IntakeSettings) -> None:
        self._parts = parts
        self._settings = settings

    @cached_property
    def workspaces(self) -> S3Workspaces:
        """The files of threads."""
        return bucket.workspaces(self._parts, self._settings.bucket)

    def use_cases(self, machines: MachineSettings) -> Mapping[str, UseCase]:
        """Every command with what it does."""
        parts = self._parts
        seen_in_the_console = {} if self._settings.endpoint else machines.flow_machines
        outside = Outside(
            parts.discord,
            parts.leases,
            parts.sessions,
            parts.executions,
            self.workspaces,
            parts.audit,
            parts.budgets,
            parts.reflections,
            parts.insights,
            parts.clock,
            parts.redactor,
            StepFunctionsConsole(seen_in_the_console),
        )
        return catalogue.use_cases(outside)

    def levers(self, machines: StepFunctionsMachines, restart: Restart) -> Levers:
        """What people can do about a run besides starting, steering and stopping it."""
        parts = self._parts
        journal = bucket.journal(parts, self._settings.bucket)
        return Levers(
            Extend(parts.budgets, parts.executions, machines, restart, parts.chronicle),
            Rewind(self.workspaces, journal, parts.leases, parts.sessions, parts.chronicle),
            parts.insights,
            machines,
            parts.executions,
            parts.clock,
        )
