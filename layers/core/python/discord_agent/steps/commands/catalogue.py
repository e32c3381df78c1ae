"""Which use case belongs to which command."""

from collections.abc import Mapping

from msgspec import Struct

from discord_agent.domain.redaction import Redactor
from discord_agent.ports import (
    AuditLog,
    Budgets,
    Clock,
    Console,
    Discord,
    Executions,
    Insights,
    Leases,
    Reflections,
    Sessions,
    Workspaces,
)
from discord_agent.steps.commands import control, flow, thread, workspace
from discord_agent.steps.commands.asked import UseCase
from discord_agent.steps.commands.budget import Budget
from discord_agent.steps.commands.memory import Memory
from discord_agent.steps.commands.settings import Settings


class Outside(Struct, frozen=True):
    """What the use cases need of the outside."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    executions: Executions
    workspaces: Workspaces
    audit: AuditLog
    budgets: Budgets
    reflections: Reflections
    insights: Insights
    clock: Clock
    redactor: Redactor
    console: Console


def use_cases(outside: Outside) -> Mapping[str, UseCase]:
    """Every command of ``domain.commands`` with what it does."""
    o = outside
    memory = Memory(o.reflections, o.insights, o.clock, o.redactor)
    budget = Budget(o.budgets, o.executions, o.sessions)
    settings = Settings(o.discord, o.sessions)
    return {
        "help": thread.assist,
        "status": thread.Status(o.sessions, o.executions, o.leases, o.audit, o.clock, o.console),
        "logs": thread.Logs(o.executions, o.clock),
        "confidence": thread.Confidence(o.sessions, o.audit),
        "escalation": thread.Escalations(o.sessions, o.clock),
        "flow": flow.ChooseFlow(o.sessions),
        "workspace list": workspace.ListFiles(o.sessions, o.workspaces),
        "workspace sync": workspace.Sync(o.leases, o.sessions, o.workspaces),
        "workspace clean": workspace.Clean(o.discord, o.leases, o.sessions, o.workspaces),
        "workspace restore": workspace.Restore(o.discord, o.leases, o.sessions, o.workspaces),
        "workspace upload": workspace.PostFile(o.discord, o.workspaces),
        "memory list": memory.list,
        "memory edit": memory.edit,
        "memory forget": memory.forget,
        "budget show": budget.show,
        "budget limit": budget.limit,
        "settings show": settings.show,
        "settings reading": settings.reading,
        "settings verbosity": settings.verbosity,
        "settings repository": settings.repository,
        "settings pause": settings.pause,
        "settings servers": settings.servers,
        "settings credential": settings.credential,
        "settings permit": settings.permit,
        "settings revoke": settings.revoke,
        "stop": control.confirm,
        "retry": control.confirm,
        "rewind": control.confirm,
    }
