"""Composes the steps that end a run, and what comes after it."""

from discord_agent.bootstrap import bucket
from discord_agent.bootstrap.parts import Parts, Variables
from discord_agent.failures import Failures
from discord_agent.settings import FinishSettings, RepositorySettings, RunSettings
from discord_agent.steps.approval import AwaitDecision, CarryOut
from discord_agent.steps.commit import MakeCommit
from discord_agent.steps.evaluate import Evaluate
from discord_agent.steps.fail import Fail
from discord_agent.steps.finish import Finish


def evaluate(variables: Variables) -> Evaluate:
    """Scoring."""
    parts = Parts(RunSettings.read(variables))
    return Evaluate(parts.leases, parts.sessions, parts.chronicle)


def commit(variables: Variables) -> MakeCommit:
    """Committing."""
    settings = RepositorySettings.read(variables)
    parts = Parts(settings)
    return MakeCommit(
        parts.leases,
        parts.sessions,
        parts.executions,
        bucket.workspaces(parts, settings.bucket),
        parts.repositories(settings),
        parts.chronicle,
    )


def finish(variables: Variables) -> Finish:
    """The end of a run."""
    settings = FinishSettings.read(variables)
    parts = Parts(settings)
    return Finish(
        parts.discord,
        parts.leases,
        parts.sessions,
        parts.executions,
        bucket.workspaces(parts, settings.bucket),
        parts.machines(approval=settings.approval_machine),
        parts.terminal,
        parts.chronicle,
        parts.clock,
    )


def await_decision(variables: Variables) -> AwaitDecision:
    """The waiting half of an approval."""
    return AwaitDecision(Parts(RunSettings.read(variables)).executions)


def carry_out(variables: Variables) -> CarryOut:
    """The acting half of an approval."""
    settings = RepositorySettings.read(variables)
    parts = Parts(settings)
    return CarryOut(
        parts.discord,
        parts.leases,
        parts.sessions,
        parts.executions,
        parts.repositories(settings),
        parts.chronicle,
    )


def fail(variables: Variables) -> Failures:
    """Failures of all kinds."""
    parts = Parts(RunSettings.read(variables))
    step = Fail(parts.discord, parts.leases, parts.sessions, parts.executions, parts.terminal, parts.chronicle)
    return Failures(step, parts.bot)
