"""The settings of a place, and the money of a person and a guild, as people read them."""

from collections.abc import Sequence
from typing import Final

from discord_agent.domain.budget import Balance, Period
from discord_agent.domain.layout import fit, line
from discord_agent.domain.money import Usd
from discord_agent.domain.policy import GuildSettings, Limits, Permit, Place
from discord_agent.domain.posts import Embed, Field, Post

_NONE: Final = "none"
_COLOUR: Final = 0x5865F2
_YOURS: Final = {
    Period.RUN: "This run",
    Period.USER_DAY: "You, today",
    Period.USER_MONTH: "You, this month",
    Period.GUILD_DAY: "This server, today",
    Period.GUILD_MONTH: "This server, this month",
}
_EVERYBODYS: Final = {
    Period.RUN: "each run",
    Period.USER_DAY: "each person per day",
    Period.USER_MONTH: "each person per month",
    Period.GUILD_DAY: "the server per day",
    Period.GUILD_MONTH: "the server per month",
}


def settings(rules: GuildSettings, place: Place) -> Post:
    """The settings as they apply at a place."""
    pause = "as deployed" if rules.debounce_seconds is None else f"{rules.debounce_seconds:g} s"
    allowed = ", ".join(f"<#{channel}>" for channel in rules.channels_allowed) or "all"
    embed = Embed(
        title="⚙️ Settings that hold here",
        colour=_COLOUR,
        fields=(
            Field("Reading", rules.reading.value),
            Field("Verbosity", rules.verbosity.value),
            Field("Pause before starting", pause),
            Field("Repository", line(rules.repository, 300) or "each thread has its own", inline=False),
            Field("Everybody may", ", ".join(action.value for action in rules.everyone) or _NONE, inline=False),
            Field("Permits", "\n".join(map(_permit, rules.permits)) or _NONE, inline=False),
            Field("Limits", _limits(rules.limits), inline=False),
            Field("Tool servers", ", ".join(line(name, 60) for name in rules.mcp_servers) or _NONE, inline=False),
            Field("Channels", allowed, inline=False),
            *(
                (Field("Tool credentials", _credentials(rules, place), inline=False),)
                if rules.credentials(place)
                else ()
            ),
        ),
    )
    return Post(embeds=(fit(embed),))


def budget(balances: Sequence[Balance]) -> Post:
    """What was spent and what may be, account by account."""
    embed = Embed(
        title="💰 Budget",
        colour=_COLOUR,
        fields=tuple(Field(_YOURS[one.account.period], _balance(one)) for one in balances),
        footer="Days and months are counted in UTC. An administrator sets limits with /budget limit.",
    )
    return Post(embeds=(fit(embed),))


def limit_set(period: Period, limit: Usd | None) -> Post:
    """A limit was set, or taken away."""
    what = f"is {limit.short}" if limit is not None else "is gone: only the others hold"
    return Post(f"💰 The limit for {_EVERYBODYS[period]} {what}.")


def _balance(balance: Balance) -> str:
    limit, room = balance.account.limit, balance.room
    if limit is None or room is None:
        return f"{balance.spent.short} spent\nno limit"
    left = max(room, Usd())
    return f"{balance.spent.short} spent\n{left.short} left of {limit.short}"


def _limits(limits: Limits) -> str:
    given = ((period, getattr(limits, period.value)) for period in Period)
    return "\n".join(f"{_EVERYBODYS[period]}: {limit.short}" for period, limit in given if limit is not None) or _NONE


def _permit(permit: Permit) -> str:
    people = [*(f"<@&{role}>" for role in permit.people.roles), *(f"<@{user}>" for user in permit.people.users)]
    return f"**{permit.action.value}**: {', '.join(people) or 'nobody'}"


def _credentials(rules: GuildSettings, place: Place) -> str:
    """Programs and the names of their secrets, never more."""
    return "\n".join(f"{line(one.program, 40)}: secret {line(one.secret, 60)}" for one in rules.credentials(place))
