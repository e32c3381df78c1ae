"""Where a run takes place: its channel, its settings, its repository."""

from discord_agent.domain.ids import ChannelId
from discord_agent.domain.policy import GuildSettings, Place
from discord_agent.domain.run import RunState
from discord_agent.ports import Sessions


def place_of(run: RunState) -> Place:
    """The run's thread, with the channel it was asked for in."""
    return Place(
        ChannelId(run.thread_id),
        guild_id=run.guild_id,
        parent_id=None if run.opened_in_place else run.channel_id,
        is_thread=True,
        joined=True,
    )


def settings_of(sessions: Sessions, run: RunState) -> GuildSettings:
    """The guild's settings as they apply to the run's channel."""
    session = sessions.get(run.thread_id)
    place = place_of(run)
    parent = session.parent_channel_id or place.parent_id
    settings = sessions.settings(run.guild_id)
    return settings.within(Place(place.channel_id, run.guild_id, parent_id=parent, is_thread=True, joined=True))


def repository_of(sessions: Sessions, run: RunState) -> str:
    """The git URL the run works on, "" for none."""
    return settings_of(sessions, run).repository
