"""What the steps need from the outside, as Protocols; adapters implement them, ``bootstrap`` chooses."""

from discord_agent.ports.discord import Discord
from discord_agent.ports.memory import Insights, Reflections
from discord_agent.ports.models import LanguageModel, Models, Prompts
from discord_agent.ports.money import Budgets
from discord_agent.ports.outward import AuditLog, Clock, Console, Events, InboundQueue, Machines, Metrics, Wakeups
from discord_agent.ports.runs import Context, Executions, Journal, JournaledRound, Leases, Proposals
from discord_agent.ports.threads import Sessions
from discord_agent.ports.tools import Credential, StopMarkers, ToolBox, ToolRound, WorkspaceAccess
from discord_agent.ports.workspaces import Checkout, Diff, Repositories, Workspaces

__all__ = [
    "AuditLog",
    "Budgets",
    "Checkout",
    "Clock",
    "Console",
    "Context",
    "Credential",
    "Diff",
    "Discord",
    "Events",
    "Executions",
    "InboundQueue",
    "Insights",
    "Journal",
    "JournaledRound",
    "LanguageModel",
    "Leases",
    "Machines",
    "Metrics",
    "Models",
    "Prompts",
    "Proposals",
    "Reflections",
    "Repositories",
    "Sessions",
    "StopMarkers",
    "ToolBox",
    "ToolRound",
    "Wakeups",
    "WorkspaceAccess",
    "Workspaces",
]
