"""Money: how the accounts stand, and the limits on them."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import settings_card
from discord_agent.domain.budget import Payer, Period
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.money import Usd
from discord_agent.domain.policy import DIRECT_MESSAGES
from discord_agent.domain.posts import Post
from discord_agent.ports import Budgets, Executions, Sessions
from discord_agent.steps.commands.asked import Asked


class Budget(Struct, frozen=True):
    """The accounts of the person who asks, of the guild, and of the thread's newest run."""

    budgets: Budgets
    executions: Executions
    sessions: Sessions

    def show(self, asked: Asked) -> Post:
        """``/budget show``."""
        newest = next(iter(self.executions.newest(asked.thread, limit=1)), None)
        execution = newest.execution_id if newest else ExecutionId("")
        accounts = self.budgets.accounts_of(Payer(execution, asked.event.author.id, asked.event.guild_id))
        wanted = [account for account in accounts if newest or account.period is not Period.RUN]
        return settings_card.budget(self.budgets.balances(wanted))

    def limit(self, asked: Asked) -> Post:
        """``/budget limit``."""
        guild = asked.event.guild_id or DIRECT_MESSAGES
        settings = self.sessions.settings(asked.event.guild_id)
        period, dollars = Period(asked.invocation.text("period")), asked.invocation.amount("dollars")
        limit = None if dollars is None else Usd(dollars)
        limits = replace(settings.limits, **{period.value: limit})
        self.sessions.put_settings(guild, replace(settings, limits=limits), instead_of=settings)
        return settings_card.limit_set(period, limit)
